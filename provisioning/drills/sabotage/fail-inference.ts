import { BroadcastChannel, isMainThread } from 'node:worker_threads';
import { InferenceSession } from 'onnxruntime-node';

/** Loaded into a daemon before its own code: SIGUSR2 makes every model fail on every picture, and the next one makes them work again. */
const channel = new BroadcastChannel('drill');
channel.unref();

if (isMainThread) process.on('SIGUSR2', () => channel.postMessage('turn'));
else {
  let failing = false;
  channel.onmessage = () => {
    failing = !failing;
  };
  // Its types tell only of the factory that the class is as well.
  const { prototype } = InferenceSession as unknown as { prototype: InferenceSession };
  const { run } = prototype;
  prototype.run = function (this: InferenceSession, ...given: Parameters<typeof run>) {
    return failing ? Promise.reject(new Error('drill: the accelerator is gone')) : run.apply(this, given);
  } as typeof run;
}

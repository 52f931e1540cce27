import './no-telemetry.ts';
import { env, InferenceSession, Tensor } from 'onnxruntime-node';

// Every failure also arrives as an exception; without this line the native library writes it to stderr, in colour, as well.
env.logLevel = 'fatal';

export { InferenceSession, Tensor };

import { z } from 'zod';

/** What the process of the test cameras is told once. */
export const startCamerasSchema = z.strictObject({
  /** File of the H.264 byte stream by the camera's id. */
  videos: z.record(z.string(), z.string()),
  fps: z.number(),
  /** `once`: a camera that has played its video to one client is off. */
  end: z.enum(['once', 'loop']),
  /** Of the only camera; any free one unless given. */
  port: z.number().int().optional(),
});
export type StartCameras = z.infer<typeof startCamerasSchema>;

/** What it answers: address of the stream by the camera's id. */
export const camerasStartedSchema = z.strictObject({ urls: z.record(z.string(), z.string()) });
export type CamerasStarted = z.infer<typeof camerasStartedSchema>;

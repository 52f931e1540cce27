/** Whether this is the address of a camera, which is called again when its stream ends; else it is a film, which is played once. */
export function isNetworkCamera(url: string): boolean {
  return /^rtsps?:\/\//i.test(url);
}

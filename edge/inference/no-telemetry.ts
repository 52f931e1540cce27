/**
 * The native library of ONNX Runtime reports its use to its maker unless this is in the process's environment when the library is
 * loaded: it takes the machine's id, keeps a device id and a database in the user's cache folder, and sends both to a host on the
 * internet. A box tells nobody anything. To be imported before the library, and on the main thread before any thread loads it,
 * since a thread's `process.env` is a copy that the library does not see.
 */
process.env.ORT_DISABLE_TELEMETRY = '1';

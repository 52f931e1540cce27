/**
 * Goes on with what is there already, or when it comes. What is there need not be waited for: promises, and whoever waits for them, take a good part
 * of the time of a request that does nothing else.
 */
export function whenThere<Value, Result>(
  value: Value | Promise<Value>,
  next: (value: Value) => Result | Promise<Result>,
): Result | Promise<Result> {
  return value instanceof Promise ? value.then(next) : next(value);
}

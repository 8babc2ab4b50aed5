export function ExceptionsTab(_: object) {
  return null;
}

// Loaded before a gateway: its clock is off by CLOCK_SHIFT_MS, as that of a machine which nobody has set.
const shift = Number(process.env.CLOCK_SHIFT_MS ?? 0);
const Right = Date;
const now = () => Right.now() + shift;
globalThis.Date = new Proxy(Right, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  apply: () => new Right(now()).toString(),
  get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
});

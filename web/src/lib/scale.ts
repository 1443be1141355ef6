/** The values that a vertical axis is labelled with, from 0, for whole numbers up to max. */
export function ticksUpTo(max: number, atMost = 4): number[] {
  const step = niceStep(Math.max(max, 1) / atMost);
  const count = Math.ceil(Math.max(max, 1) / step);
  return Array.from({ length: count + 1 }, (_, i) => i * step);
}

/** The least of 1, 2, 5, 10, 20, 50 … that is not below a number. */
function niceStep(least: number): number {
  const power = 10 ** Math.max(Math.floor(Math.log10(least)), 0);
  const factor = [1, 2, 5].find((one) => one * power >= least) ?? 10;
  return factor * power;
}

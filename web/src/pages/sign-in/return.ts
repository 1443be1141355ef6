/**
 * Where to go after signing in: an address below /admin, or nowhere. Anything
 * else could be a link that leads to a foreign page.
 */
export function safeReturn(to: unknown): string | undefined {
  return typeof to === 'string' && /^\/admin(?:[/?#]|$)/.test(to) && !/[\\\s]/.test(to) ? to : undefined;
}

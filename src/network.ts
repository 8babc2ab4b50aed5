/** Network addresses, as far as what is counted by them goes. */
import ipaddr from 'ipaddr.js';

/**
 * What one customer of a provider has: an IPv4 address, also where it is written as an IPv6 one, or an IPv6 network of /64, in which
 * anybody can take another address for each request.
 */
export function networkOf(address: string): string {
  // The scope of a link-local one is of this machine.
  const plain = address.replace(/%.*$/, '');
  if (!ipaddr.isValid(plain)) return address;
  const known = ipaddr.process(plain);
  if (known instanceof ipaddr.IPv4) return known.toString();
  return `${new ipaddr.IPv6([...known.parts.slice(0, 4), 0, 0, 0, 0])}/64`;
}

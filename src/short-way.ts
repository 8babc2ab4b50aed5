/**
 * Shared answers that stand ready are sent before Fastify sees their request: its routing, hooks and objects cost more than all that
 * such a request needs (CPU 51 → 31 µs; 28 with the log line cheaper as well), and before Node makes a response of it (→ 19 µs).
 * Whatever has no ready answer goes the long way, which makes one ready (rest/shared-answers.ts).
 */
import type { IncomingMessage, RequestListener } from 'node:http';
import type { Services } from './context.ts';
import type { EarlyAnswer } from './early-answers.ts';
import { linesOfNode, requestId } from './http-server.ts';
import type { Proxies } from './proxies.ts';
import type { RateLimits } from './rate-limits.ts';
import { type Head, isKnown, openToAll, type SharedAnswer, type SharedAnswers } from './rest/shared-answers.ts';
import { TRANSPORT_SECURITY } from './security-headers.ts';
import { beginRequest, endRequest, tellOf } from './telemetry/requests.ts';

interface Means {
  services: Services;
  answers: SharedAnswers;
  limits: RateLimits;
  proxies: Proxies;
  /** From then on connections are ended, which the long way does. */
  going: AbortSignal;
}

export interface ShortWay {
  /** Writes what stands ready before Node makes a response of it; not where requests are counted, which may take a while. */
  early: EarlyAnswer | undefined;
  /** Answers what stands ready and was not written yet. */
  before(long: RequestListener): RequestListener;
}

export function shortWay({ services, answers, limits, proxies, going }: Means): ShortWay {
  const find = (request: IncomingMessage) => (going.aborted ? undefined : answers.find(request));
  return { early: limits.countsEarly ? undefined : early, before };

  function early(request: IncomingMessage, write: (answer: string) => void): boolean {
    const ready = find(request);
    if (!ready) return false;
    return answer(request, ready, ({ text }, own, body) => {
      let head = text;
      for (let at = 0; at < own.length; at += 2) head += `${own[at]}: ${own[at + 1]}\r\n`;
      write(`${head}${linesOfNode()}\r\n${body}`);
    });
  }

  function before(long: RequestListener): RequestListener {
    return (request, response) => {
      const ready = find(request);
      if (!ready) return long(request, response);
      const send = () => {
        const sent = answer(request, ready, ({ status, headers }, own, body) => {
          response.writeHead(status, [...headers, ...own]);
          response.end(body, 'latin1');
        });
        if (!sent) response.destroy();
      };
      const counted = limits.countEarly(request);
      if (!counted) return send();
      // Who is over the limit is refused there as everybody is; and Redis may have taken longer than the answer holds.
      const further = () => (going.aborted || !answers.holds(ready) ? long(request, response) : send());
      counted.then(further, () => long(request, response));
    };
  }

  /** @param send the head, names and values of the request's own headers in turn, and the body. @returns false where it could not be sent. */
  function answer(
    request: IncomingMessage,
    ready: SharedAnswer,
    send: (head: Head, own: string[], body: string) => void,
  ): boolean {
    const began = performance.now();
    let sent = false;
    try {
      const { headers } = request;
      const { orgId, route, path, until } = ready;
      const id = requestId(headers['x-request-id']);
      const span = beginRequest(request, path, id);
      const known = isKnown(headers, ready.etag);
      const head = known ? ready.known : ready.whole;
      const own = ['cache-control', openToAll(until - Date.now()), 'x-request-id', id];
      if (proxies.speakTls(request)) own.push('strict-transport-security', TRANSPORT_SECURITY);
      send(head, own, known ? '' : ready.bytes);
      sent = true;
      const { status } = head;
      const ms = performance.now() - began;
      const tell = () => tellOf(services, { requestId: id, orgId, method: 'GET', route, path, status, ms });
      if (span) span.within(tell);
      else tell();
      endRequest(span, status, orgId);
    } catch (error) {
      // Nobody is above this who would catch it.
      services.log.error(
        { err: error },
        sent ? 'a ready answer could not be told of' : 'a ready answer could not be sent',
      );
    }
    return sent;
  }
}

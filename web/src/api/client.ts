/** The GraphQL client of whoever is signed in; another identity gets another client, so that nothing is left over. */
import { cacheExchange } from '@urql/exchange-graphcache';
import { Client, fetchExchange, mapExchange, subscriptionExchange } from 'urql';
import { cacheRules } from './cache.ts';
import { forwardTo, openSocket } from './live.ts';
import { dropCredentials, type Ended } from './session.ts';

/** @returns the client, and what ends its socket. */
export function createApi(token: string | undefined): { client: Client; close(): void } {
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  const socket = openSocket(headers, (code) => token && dropCredentials(token, ENDED[code] ?? 'expired'));
  const client = new Client({
    url: '/graphql',
    preferGetMethod: false,
    // The cookie of a tenant's sign-in is another identity than the one at hand.
    fetchOptions: () => ({ credentials: 'omit', headers }),
    requestPolicy: 'cache-and-network',
    exchanges: [
      cacheExchange(cacheRules),
      mapExchange({
        onError(error) {
          const ended = error.graphQLErrors.map(({ extensions }) => ENDED[String(extensions.code)]).find(Boolean);
          if (token && ended) dropCredentials(token, ended);
        },
      }),
      fetchExchange,
      subscriptionExchange({ forwardSubscription: forwardTo(socket) }),
    ],
  });
  return { client, close: () => void socket.dispose() };
}

/** Answers that end a session. */
const ENDED: Readonly<Record<string, Ended>> = {
  UNAUTHENTICATED: 'expired',
  USER_SUSPENDED: 'userSuspended',
  TENANT_SUSPENDED: 'tenantSuspended',
};

/** The GraphQL client of whoever is signed in; another identity gets another client, so that nothing is left over. */
import { cacheExchange } from '@urql/exchange-graphcache';
import { Client, fetchExchange, mapExchange, subscriptionExchange } from 'urql';
import { cacheRules } from './cache.ts';
import { forwardTo, openSocket } from './live.ts';
import { dropCredentials } from './session.ts';

/** @returns the client, and what ends its socket. */
export function createApi(token: string | undefined): { client: Client; close(): void } {
  const ended = () => dropCredentials('expired');
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  const socket = openSocket(headers, ended);
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
          const codes = error.graphQLErrors.map(({ extensions }) => extensions.code);
          if (token && codes.some((code) => ENDED.has(String(code)))) ended();
        },
      }),
      fetchExchange,
      subscriptionExchange({ forwardSubscription: forwardTo(socket) }),
    ],
  });
  return { client, close: () => void socket.dispose() };
}

const ENDED = new Set(['UNAUTHENTICATED', 'USER_SUSPENDED', 'TENANT_SUSPENDED']);

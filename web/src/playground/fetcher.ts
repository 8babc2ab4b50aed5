/** What GraphiQL runs goes over HTTP, and subscriptions over the socket, both as whoever the page is signed in as. */
import type { Fetcher, FetcherParams, FetcherReturnType } from '@graphiql/toolkit';
import { type DocumentNode, getOperationAST, parse } from 'graphql';
import type { Client } from 'graphql-ws';
import { follow as followResuming, openSocket } from '../api/live.ts';
import { AskError, type Headers, post } from './ask.ts';
import { noticeToken } from './found-token.ts';
import { activeIdentity, confirm, ENDED, getSession } from './session.ts';

export const fetcher: Fetcher = (params, options) => {
  const request = { ...params, ...named(params) };
  const headers = credentials(options?.headers);
  return request.operation === 'subscription' ? follow(request, headers) : run(request, headers);
};

/** GraphiQL finds out what a tab's operations are called a moment after it was opened: till then it sends the last one's name. */
function named({ query, operationName }: FetcherParams): { operationName?: string; operation?: string } {
  let document: DocumentNode;
  try {
    document = parse(query, { noLocation: true });
  } catch {
    return {};
  }
  const operation = getOperationAST(document, operationName) ?? getOperationAST(document);
  return { operationName: operation?.name?.value, operation: operation?.operation };
}

/** The Headers tab comes before the sign-in. */
function credentials(written: Record<string, unknown> | undefined): Headers {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(written ?? {})) headers[name.toLowerCase()] = String(value);
  const token = activeIdentity(getSession())?.token;
  if (token && !headers.authorization && !headers['x-api-key']) headers.authorization = `Bearer ${token}`;
  return headers;
}

async function run({ query, variables, operationName }: FetcherParams, headers: Headers) {
  const answer = await post({ query, variables, operationName }, headers);
  // A wrong password says the same as a dead token: ask which it was.
  if (answer.errors?.some(({ extensions }) => ENDED.has(extensions?.code ?? ''))) void confirm();
  noticeToken(answer.data);
  return answer as object;
}

let socket: { client: Client; key: string } | undefined;

/** One socket for each identity: credentials are told when it connects. GraphiQL follows one subscription at a time. */
function socketOf(headers: Headers): Client {
  const key = JSON.stringify(headers);
  if (socket?.key !== key) {
    void socket?.client.dispose();
    const refused = () => {
      // Whoever follows is still to be told why; the next one gets another socket.
      if (socket) socket.key = '';
      void confirm();
    };
    socket = { key, client: openSocket(headers, refused) };
  }
  return socket.client;
}

function follow({ query, variables, operationName }: FetcherParams, headers: Headers): FetcherReturnType {
  const observable = {
    subscribe(observer: { next(value: object): void; error(error: unknown): void; complete(): void }) {
      const unsubscribe = followResuming(
        socketOf(headers),
        { query, variables: variables as Record<string, unknown> | undefined, operationName },
        {
          next: (result) => observer.next(result),
          error: (error) => observer.error(error instanceof CloseEvent ? closed(error) : error),
          complete: () => observer.complete(),
        },
      );
      return { unsubscribe };
    },
  };
  // GraphiQL subscribes with an observer, which is one of the three ways that its type asks for.
  return observable as unknown as FetcherReturnType;
}

const closed = ({ code, reason }: CloseEvent) =>
  new AskError(`The gateway closed the connection (${code}): ${reason || 'no reason given'}`);

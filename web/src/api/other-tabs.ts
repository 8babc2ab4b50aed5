/**
 * A tab that is opened beside one where somebody is signed in, such as by opening a link in a new one, is theirs as well. What a
 * tab keeps is its own, so it asks the others of this browser. An impersonation stays in its tab.
 */
import { getSession, isNewTab, type SignedIn, setSession } from './session.ts';

type Message = { kind: 'whoIsThere'; path: string } | { kind: 'signedIn'; signedIn: SignedIn };

/** Others answer within some milliseconds, if there are any. */
const PATIENCE_MS = 200;

/** Two may be signed in, one on each side: a tab is of those who have its address. The way in is everybody's. */
const has = ({ kind }: SignedIn, path: string) =>
  /\/console\/?$/.test(path) || (kind === 'tenant') === path.endsWith('/working-hours');

/** To be called once, before anything is shown. Ends when it is known who is signed in. */
export async function joinOtherTabs(): Promise<void> {
  const channel = new BroadcastChannel('omnistream.session');
  const send = (message: Message) => channel.postMessage(message);
  const answered = Promise.withResolvers<void>();
  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    const { signedIn } = getSession();
    if (data.kind === 'whoIsThere') {
      if (signedIn && has(signedIn, data.path)) send({ kind: 'signedIn', signedIn });
    } else if (isNewTab() && !signedIn) {
      setSession({ signedIn: data.signedIn });
      answered.resolve();
    }
  };
  if (!isNewTab()) return;
  send({ kind: 'whoIsThere', path: location.pathname });
  setTimeout(answered.resolve, PATIENCE_MS);
  await answered.promise;
}

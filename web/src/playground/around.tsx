/** What stands around the editors: who one is, whether the socket stands, and a token that an answer brought. */
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useState } from 'react';
import { useConnection } from '../api/live.ts';
import { setFoundToken, useFoundToken } from './found-token.ts';
import css from './playground.module.css';
import { activeIdentity, adopt, useSession } from './session.ts';
import { SIGN_IN } from './titles.ts';

/** Beside the tabs. */
export function WhoChip() {
  const { setVisiblePlugin } = useGraphiQLActions();
  const visible = useGraphiQL(({ visiblePlugin }) => visiblePlugin?.title);
  const identity = activeIdentity(useSession());
  const where = identity?.tenantSlug ?? 'platform';
  return (
    <button
      type="button"
      className={css.who}
      data-signed-in={Boolean(identity)}
      aria-label={identity ? `Requests go as ${identity.email}, ${where}` : 'Not signed in'}
      onClick={() => setVisiblePlugin(visible === SIGN_IN ? null : SIGN_IN)}
    >
      <span className={css.dot} aria-hidden="true" />
      {identity ? (
        <>
          <span className={css.email}>{identity.email}</span>
          <span className={css.where}>{where}</span>
        </>
      ) : (
        <span>Not signed in</span>
      )}
    </button>
  );
}

/** Below the answer. */
export function Notices() {
  const connection = useConnection();
  const token = useFoundToken();
  return (
    <>
      {connection.state === 'lost' && (
        <p role="status" className={css.notice}>
          The connection is lost since {new Date(connection.since).toLocaleTimeString()}; the subscription goes on where
          it was as soon as it is back.
        </p>
      )}
      {token && <TokenOffer key={token} token={token} />}
    </>
  );
}

function TokenOffer({ token }: { token: string }) {
  const [problem, setProblem] = useState<string>();
  const use = async () => {
    try {
      await adopt(token);
      setFoundToken(undefined);
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  return (
    <div role="status" className={css.notice}>
      <span>{problem ?? 'This answer brought a token.'}</span>
      <button type="button" className={css.small} onClick={() => void use()}>
        Use it for what I run next
      </button>
      <button type="button" className={css.small} onClick={() => setFoundToken(undefined)}>
        Dismiss
      </button>
    </div>
  );
}

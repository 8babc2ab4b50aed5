/** The page at /graphql: GraphiQL with a way to sign in, subscriptions, and examples that work on a fresh start. */
import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import './theme.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Playground } from './playground.tsx';

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <Playground />
  </StrictMode>,
);

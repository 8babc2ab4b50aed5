/** How a long run ends: by itself, by what it throws, or by Ctrl-C, which removes what was made. */

/** Runs it and sets the exit code. @param tidy ends servers and removes folders; called at every end. */
export async function endOnSignals(
  run: () => Promise<number>,
  say: (text: string) => void,
  tidy: () => Promise<void>,
): Promise<void> {
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, async () => {
      if (stopping) return;
      stopping = true;
      say('\nStopping: servers are ended and folders removed…');
      await tidy().catch(() => {});
      process.exit(130);
    });
  }
  try {
    process.exitCode = await run();
  } catch (error) {
    // What stopping does to what is under way is no news.
    if (!stopping) say(`\n${(error as Error).stack}`);
    process.exitCode = 1;
  } finally {
    if (!stopping) await tidy();
  }
}

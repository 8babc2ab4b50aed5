/** The first tab of somebody who has never been here. */
export const WELCOME = `# Welcome to the playground of OmniStream.
#
# 1. Sign in: the person with the key, on the left. On a fresh start: the e-mail and password that \`npm start\` printed.
# 2. Open an example: the list below. Each comes ready to run, subscriptions included.
# 3. Run it: Ctrl-Enter. Ctrl-Space completes, and the book documents every type.
#
# This one needs no sign-in: what can be followed live.

query WhatIsLive {
  __schema {
    subscriptionType {
      fields {
        name
        description
        args {
          name
          description
        }
      }
    }
  }
}
`;

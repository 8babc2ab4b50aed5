/** The first tab of somebody who has never been here. */
export const WELCOME = `# Welcome to the playground of OmniStream.
#
# Sign in with the person and key on the left. On a fresh start: the e-mail and
# the password that \`npm start\` printed.
# Examples, the list below it, open ready to run: queries, mutations, subscriptions.
# The book shows the documentation of every type; Ctrl-Space completes,
# Ctrl-Enter runs.
#
# This one needs no sign-in: everything that can be followed live.

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

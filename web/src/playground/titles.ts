/** The names of the panels, by which one opens the other. */
export const SIGN_IN = 'Sign in';
export const EXAMPLES_TITLE = 'Examples';

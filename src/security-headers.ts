/**
 * Headers that every answer carries. They are the same for all, and so are written out here: a middleware that works them
 * out for each request costs more than some of the answers.
 */

/** Nothing in an answer of the API is to be shown, framed, guessed at or kept an address of. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/** Where the request came over TLS: for a year, this host alone. */
export const TRANSPORT_SECURITY = 'max-age=31536000';

/**
 * A page's scripts and connections are this server's alone. Styles may be in the page, because components write their measures
 * into it and the editor its colours; pictures and fonts may be, because icons are.
 */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "script-src-attr 'none'",
    "connect-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "worker-src 'self' blob:",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'referrer-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
};

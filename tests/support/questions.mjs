// Questions about the collections of tests/fixtures/queries/schema.sql, one a line, and what is compared of an answer.
//
//   articles?fields=id&limit=1              GET /items/articles, as the administrator
//   @limited articles?fields=*              as one of the users of the schema
//   SEARCH /items/articles {"query":{…}}    a body

const tokens = { '@limited': 'limited-token-0123456789', '@masked': 'masked-token-0123456789', '@public': undefined };

/** The path as bytes on the wire: what a browser would encode. */
const encode = (path) => path.replace(/[^!$&'()*+,\-./:;=?@[\]_~%0-9A-Za-z]/gu, (c) => encodeURIComponent(c));

export function requestOf(question, adminToken) {
    const [, user, method, rest] = /^(?:(@\w+) +)?(?:(SEARCH) )?(.*)$/s.exec(question);
    const [, path, body] = method ? /^(\S+) (.*)$/s.exec(rest) : [undefined, rest, undefined];
    return {
        method: method ?? 'GET',
        path: encode(path.startsWith('/') ? path : `/items/${path}`),
        token: user ? tokens[user] : adminToken,
        text: body,
    };
}

/** Status and data; of errors their codes and messages. */
export function essence(status, json) {
    if (json?.errors) return { status, errors: json.errors.map((e) => `${e.extensions.code}: ${e.message}`) };
    return { status, ...(json?.meta ? { meta: json.meta } : {}), data: json?.data };
}

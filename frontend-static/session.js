// Who is signed in, and requests made as them. The token lives as long as the tab.

const key = 'spark.session';
const root = new URL('../', document.baseURI); // the page may stand behind a proxy's prefix
const timeoutMs = 15000;

/** The server answered with an error. */
export class ApiError extends Error {
    constructor(status, code, message) {
        super(message);
        this.status = status;
        this.code = code;
    }
    /** Nothing will work until somebody signs in again. */
    get isSignedOut() {
        return this.status === 401 || this.code === 'INVALID_TOKEN';
    }
}

/** The server did not answer at all. */
export class AwayError extends Error {}

function load() {
    try {
        return JSON.parse(sessionStorage.getItem(key)) ?? {};
    } catch {
        return {};
    }
}

let session = load();

function save(changes) {
    session = changes === null ? {} : { ...session, ...changes };
    try {
        sessionStorage.setItem(key, JSON.stringify(session));
    } catch {
        // closed storage: the session ends with the page
    }
}

export const isSignedIn = () => Boolean(session.token);
export const site = () => session.site ?? '';
export const chooseSite = (id) => save({ site: id });
export const useToken = (token) => save({ token, refresh: undefined, site: undefined });

/** Takes `#token=…` out of the address bar, so that it is neither seen nor bookmarked. */
export function takeTokenFromAddress() {
    const token = new URLSearchParams(location.hash.slice(1)).get('token');
    if (!token) return false;
    history.replaceState(null, '', location.pathname + location.search);
    useToken(token);
    return true;
}

async function errorOf(response) {
    let body;
    try {
        body = await response.json();
    } catch {
        body = undefined; // an answer of something between us and the server
    }
    const error = body?.errors?.[0];
    return new ApiError(
        response.status,
        error?.extensions?.code ?? body?.code ?? '',
        String(error?.message ?? body?.message ?? `The server answered ${response.status}.`),
    );
}

async function send(path, options) {
    let response;
    try {
        response = await fetch(new URL(path, root), { credentials: 'omit', cache: 'no-store', ...options });
    } catch (error) {
        if (options.signal?.aborted && options.signal.reason?.name !== 'TimeoutError') throw error;
        throw new AwayError('The server does not answer.', { cause: error });
    }
    if (!response.ok) throw await errorOf(response);
    return response;
}

const post = (path, body) =>
    send(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(timeoutMs),
    });

function keepTokens({ data }) {
    save({ token: data.access_token, refresh: data.refresh_token });
}

export async function signIn(email, password) {
    const response = await post('auth/login', { email, password, mode: 'json' });
    save({ site: undefined });
    keepTokens(await response.json());
}

export async function signOut() {
    const { refresh } = session;
    save(null);
    if (refresh) await post('auth/logout', { refresh_token: refresh }).catch(() => {}); // it expires anyway
}

// Several requests may find the token expired at once; the refresh token is good for one exchange.
let refreshing;
function refreshTokens() {
    refreshing ??= post('auth/refresh', { refresh_token: session.refresh, mode: 'json' })
        .then((response) => response.json())
        .then(keepTokens)
        .finally(() => (refreshing = undefined));
    return refreshing;
}

const authorized = (options) => ({
    ...options,
    headers: {
        ...options.headers,
        authorization: `Bearer ${session.token}`,
        ...(session.site ? { 'x-site-id': session.site } : {}),
    },
});

/** A request as the one who is signed in. */
export async function request(path, options = {}) {
    const all = { signal: AbortSignal.timeout(timeoutMs), ...options };
    try {
        return await send(path, authorized(all));
    } catch (error) {
        if (!(error instanceof ApiError && error.isSignedOut && session.refresh)) throw error;
        await refreshTokens();
        return send(path, authorized(all));
    }
}

export const get = async (path) => (await request(path)).json();

// The page: signs in, follows the queue, keeps the list of articles fresh, says what is wrong.

import { clearArticles, refreshArticles, refreshTimes, wireDialog } from './articles.js';
import { follow } from './events.js';
import * as format from './format.js';
import { Pulse } from './pulse.js';
import * as session from './session.js';

const healthEveryMs = 10000;
const articlesEveryMs = 2000;
const figures = ['queued', 'running', 'done_last_hour', 'dead', 'workers'];

const $ = (id) => document.getElementById(id);
const pulse = new Pulse($('pulse'));

let watching; // AbortController of what runs while somebody is signed in and looks
let counters;
let problems = {}; // by where they were found, most urgent first in problemOrder
const problemOrder = ['server', 'postgres', 'redis', 'articles'];

function setProblem(where, sentence) {
    problems = { ...problems, [where]: sentence };
    const first = problemOrder.map((name) => problems[name]).find(Boolean);
    if ($('banner').textContent !== (first ?? '')) $('banner').textContent = first ?? '';
    $('banner').hidden = !first;
}

function setStatus(state, text) {
    $('status').dataset.state = state;
    if ($('status-text').textContent !== text) $('status-text').textContent = text;
}

function setFigure(id, text) {
    const element = $(id);
    if (element.textContent === text) return;
    element.textContent = text;
    element.classList.remove('changed');
    void element.offsetWidth; // lets the animation start again
    element.classList.add('changed');
}

function setLive(isLive, text) {
    $('live').dataset.live = String(isLive);
    $('live').textContent = text;
}

// Queue ------------------------------------------------------------------------------------------

let articlesTimer;
let articlesAt = 0;

/** The counter moved: read the list again, but not more often than every two seconds. */
function articlesChanged() {
    if (articlesTimer) return;
    const wait = Math.max(0, articlesAt + articlesEveryMs - Date.now());
    articlesTimer = setTimeout(() => {
        articlesTimer = undefined;
        loadArticles();
    }, wait);
}

async function loadArticles() {
    const { signal } = watching ?? {};
    if (!signal) return;
    articlesAt = Date.now();
    try {
        await refreshArticles();
        if (!signal.aborted) setProblem('articles', '');
    } catch (error) {
        if (signal.aborted) return;
        if (error.isSignedOut) showSignIn(refusal(error));
        else setProblem('articles', `The articles cannot be read for now. ${error.message}`); // asked again with the next health check
    }
}

function showCounters(next) {
    const isNew = counters?.articles !== next.articles;
    counters = next;
    for (const id of figures) setFigure(id, format.count(next[id]));
    $('dead').dataset.bad = String(next.dead > 0);
    $('workers').dataset.bad = String(next.workers === 0);
    setFigure('articles', next.articles === null ? '' : `${format.count(next.articles)} in all`);
    $('rate').textContent = format.rate(next.rate);
    if (isNew) articlesChanged();
}

const refusal = (error) =>
    error.isSignedOut ? 'The server does not know this token, or no longer.' : error.status === 403 ? 'This account may not look at the queue.' : error.message;

const hear = {
    onOpen() {
        setProblem('server', '');
        if (problems.articles) articlesChanged();
    },
    onEvent(name, data) {
        if (name === 'queue') {
            showCounters(data);
            setLive(true, 'Live');
            setProblem('postgres', '');
        } else if (name === 'away') {
            setLive(false, 'Paused');
            setProblem('postgres', 'The database does not answer. The figures go on as soon as it does.');
        }
    },
    onLost(error) {
        setLive(false, 'Reconnecting');
        if (error instanceof session.ApiError) {
            setProblem('server', error.message);
        } else {
            setStatus('bad', 'No connection');
            setProblem('server', 'The server does not answer. Trying again until it does.');
        }
    },
    onRefused(error) {
        showSignIn(refusal(error));
    },
};

// Health -----------------------------------------------------------------------------------------

function describe(health, queue) {
    const ms = (name) => health.checks?.[name]?.[0]?.observedValue;
    const parts = [health.status === 'ok' ? 'All is well' : health.status === 'warn' ? 'Redis is away' : 'Not well'];
    if (queue) parts.push(`up ${format.duration(queue.uptime_s)}`);
    if (ms('pg:responseTime') !== undefined) parts.push(`PostgreSQL ${ms('pg:responseTime').toFixed(1)} ms`);
    if (health.status === 'ok' && ms('redis:responseTime') !== undefined) parts.push(`Redis ${ms('redis:responseTime').toFixed(1)} ms`);
    return parts.join(' · ');
}

/** An unwell server answers 503 with the same body. */
async function readHealth() {
    try {
        return await session.get('server/health');
    } catch (error) {
        if (error instanceof session.ApiError && error.status === 503) return { status: 'error' };
        throw error;
    }
}

async function checkHealth(signal) {
    try {
        const [health, queue] = await Promise.all([readHealth(), session.get('api/admin/queue').catch(() => undefined)]);
        if (signal.aborted) return;
        setStatus({ ok: 'good', warn: 'warn' }[health.status] ?? 'bad', describe(health, queue));
        setProblem('redis', health.status === 'warn' ? 'Redis is away. Jobs are safe in the database, and the workers fetch them from there, more slowly.' : '');
        if (queue) $('version').textContent = `Spark ${queue.version}`;
        if (problems.articles) articlesChanged();
    } catch (error) {
        if (!signal.aborted && error instanceof session.AwayError) setStatus('bad', 'No connection');
    }
}

// Coming and going -------------------------------------------------------------------------------

function every(ms, signal, run) {
    run();
    const timer = setInterval(run, ms);
    signal.addEventListener('abort', () => clearInterval(timer));
}

function watch() {
    if (watching || !session.isSignedIn() || document.hidden) return;
    watching = new AbortController();
    const { signal } = watching;
    setLive(false, 'Connecting');
    follow('api/admin/queue/events', signal, hear);
    every(healthEveryMs, signal, () => checkHealth(signal));
    every(1000, signal, () => counters && pulse.add(counters.rate));
    every(30000, signal, refreshTimes);
    loadArticles();
}

function unwatch() {
    watching?.abort();
    watching = undefined;
    clearTimeout(articlesTimer);
    articlesTimer = undefined;
}

function forget() {
    unwatch();
    counters = undefined;
    problems = {};
    setProblem('server', '');
    for (const id of figures) $(id).textContent = '–';
    $('rate').textContent = '–';
    $('articles').textContent = '';
    pulse.clear();
    clearArticles();
}

function showSignIn(error = '') {
    forget();
    session.signOut();
    if ($('article').open) $('article').close();
    $('board').hidden = true;
    $('sign-out').hidden = true;
    $('site-choice').hidden = true;
    $('sign-in').hidden = false;
    $('sign-in-error').textContent = error;
    $('sign-in-error').hidden = !error;
    setStatus('waiting', 'Signed out');
    $('token').focus();
}

function showBoard() {
    $('sign-in').hidden = true;
    $('board').hidden = false;
    $('sign-out').hidden = false;
    setStatus('waiting', 'Connecting');
    watch();
    loadSites();
}

/** Who may see several sites can look at one of them. */
async function loadSites() {
    let sites;
    try {
        sites = (await session.get('items/sites?fields=id,name&sort=name&limit=500')).data;
    } catch {
        return; // no such collection, or not for this account: then there is nothing to choose
    }
    if (sites.length < 2 && !session.site()) return;
    $('site').replaceChildren(new Option('All sites', ''), ...sites.map(({ id, name }) => new Option(name || id, id)));
    $('site').value = session.site();
    $('site-choice').hidden = false;
}

async function submit(form, signIn) {
    const button = form.querySelector('button');
    $('sign-in-error').hidden = true;
    button.disabled = true;
    try {
        await signIn(Object.fromEntries(new FormData(form)));
        form.reset();
        showBoard();
    } catch (error) {
        $('sign-in-error').textContent = error.message;
        $('sign-in-error').hidden = false;
    } finally {
        button.disabled = false;
    }
}

function wire() {
    $('token-form').addEventListener('submit', (event) => {
        event.preventDefault();
        submit(event.target, ({ token }) => session.useToken(token.trim()));
    });
    $('login-form').addEventListener('submit', (event) => {
        event.preventDefault();
        submit(event.target, ({ email, password }) => session.signIn(email, password));
    });
    $('sign-out').addEventListener('click', () => showSignIn());
    $('site').addEventListener('change', () => {
        session.chooseSite($('site').value);
        forget();
        watch();
    });
    document.addEventListener('visibilitychange', () => (document.hidden ? unwatch() : watch()));
    window.addEventListener('hashchange', () => {
        if (!session.takeTokenFromAddress()) return;
        forget();
        showBoard();
    });
    wireDialog();
}

wire();
session.takeTokenFromAddress();
if (session.isSignedIn()) showBoard();
else showSignIn();

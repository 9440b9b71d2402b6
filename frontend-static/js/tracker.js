// What a site's pages tell the platform: page views, events, conversions.
//
//   <script src="https://platform.example/js/tracker.js" data-site-id="…" defer></script>
//
// data-api-base names another platform than the script's own. Pages may call
//   sparkTrack(name, { category, label, value, metadata })
//   sparkConversion(type, value, { source, campaign, lead_id, currency })
//
// Nothing here may ever break the page it is on: storage may be closed, the network away, links odd.

(() => {
    'use strict';

    const script = document.currentScript;
    const siteId = script?.dataset.siteId || undefined;
    const base = (script?.dataset.apiBase || (script?.src ? new URL(script.src).origin : location.origin)).replace(/\/+$/, '');
    const pathMax = 500;
    const queryMax = 3000;
    const wordMax = 255;
    const clickNames = ['utm_source', 'utm_medium', 'utm_campaign', 'gclid', 'fbclid'];

    const text = (value, max = wordMax) => (value === undefined || value === null || value === '' ? undefined : [...String(value)].slice(0, max).join(''));

    /** What was kept, else made and kept; a browser that keeps nothing gets a new one each time. */
    const remembered = (openStorage, key, make) => {
        try {
            const storage = openStorage();
            const kept = storage.getItem(key);
            if (kept) return kept;
            const made = make();
            if (made) storage.setItem(key, made);
            return made;
        } catch {
            return make();
        }
    };

    const randomId = (prefix) => {
        const bytes = crypto.getRandomValues(new Uint8Array(16));
        return prefix + Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    };

    const visitorId = remembered(() => localStorage, 'spark_visitor', () => randomId('v_'));
    const sessionId = remembered(() => sessionStorage, 'spark_session', () => randomId('s_'));

    /** Whose advertisement brought the visitor here, from the address of the first page. */
    const campaign = () => {
        const query = new URLSearchParams(location.search);
        const found = clickNames.map((name) => [name, text(query.get(name))]).filter(([, value]) => value);
        return found.length ? JSON.stringify(Object.fromEntries(found)) : '';
    };
    let click = {};
    try {
        click = JSON.parse(remembered(() => sessionStorage, 'spark_click', campaign) || '{}');
    } catch {
        click = {};
    }

    const send = (what, fields) => {
        const body = JSON.stringify({ site_id: siteId, visitor_id: visitorId, session_id: sessionId, ...fields });
        fetch(`${base}/api/track/${what}`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body,
            keepalive: true, // the page may be on its way out
            credentials: 'omit',
            mode: 'cors',
        }).catch(() => {});
    };

    let shown;
    const pageView = () => {
        const path = location.pathname;
        if (path === shown || path.length > pathMax) return;
        const referrer = shown === undefined ? document.referrer : location.origin + shown;
        shown = path;
        const query = location.search.length <= queryMax ? location.search : '';
        send('pageview', { page_path: path + query, page_title: text(document.title, pathMax), referrer: text(referrer, pathMax) });
    };

    const track = (name, { category, label, value, metadata } = {}) =>
        send('event', {
            event_name: text(name), event_category: text(category), event_label: text(label), event_value: text(value),
            metadata, page_path: text(location.pathname, pathMax),
        });

    const convert = (type, value, details = {}) => {
        const { visitor_id: v, session_id: s, ...known } = { ...click, ...details };
        const { source = known.utm_source, campaign: name = known.utm_campaign, gclid, fbclid, lead_id: lead, currency } = known;
        send('conversion', {
            visitor_id: v, session_id: s, conversion_type: text(type, 100), value, currency, lead_id: lead,
            source: text(source), campaign: text(name), gclid, fbclid,
        });
    };

    const onClick = (event) => {
        const link = event.target instanceof Element ? event.target.closest('a[href]') : null;
        if (!link) return;
        let url;
        try {
            url = new URL(link.href, location.href);
        } catch {
            return;
        }
        if (url.protocol === 'tel:')
            send('call-click', { ...click, phone_number: text(decodeURIComponent(url.pathname), 50), page_url: text(location.href, 2048), page_title: text(document.title, pathMax) });
        else if (/^https?:$/.test(url.protocol) && url.host !== location.host)
            track('outbound_click', { category: 'engagement', label: url.host + url.pathname });
    };

    const onSubmit = (event) => {
        const form = event.target;
        track('form_submit', { category: 'form', label: form.getAttribute('name') || form.id || form.getAttribute('action') || 'form' });
    };

    const guarded = (act) => (...args) => {
        try {
            return act(...args);
        } catch {
            return undefined;
        }
    };

    // A page that shows another without loading it changes the path here.
    for (const name of ['pushState', 'replaceState']) {
        const original = history[name];
        history[name] = function (...args) {
            const result = original.apply(this, args);
            queueMicrotask(guarded(pageView));
            return result;
        };
    }
    addEventListener('popstate', guarded(pageView));
    document.addEventListener('click', guarded(onClick), true);
    document.addEventListener('submit', guarded(onSubmit), true);

    window.sparkTrack = guarded(track);
    window.sparkConversion = guarded(convert);
    if (document.readyState === 'loading') addEventListener('DOMContentLoaded', guarded(pageView), { once: true });
    else guarded(pageView)();
})();

// Makes HTML from the database harmless before it is shown: only what an article is made of stays.
// The frame that shows it runs no scripts either; this is the first of two walls.

const elements = new Set(
    ('h1 h2 h3 h4 h5 h6 p div section article header footer aside span ul ol li dl dt dd strong b em i u s small ' +
        'sub sup mark abbr cite q blockquote code pre kbd a img figure figcaption table caption thead tbody tfoot ' +
        'tr th td hr br time').split(' '),
);
const removedWhole = new Set('script style template iframe object embed form input button select textarea svg math noscript'.split(' '));
const attributes = {
    a: ['href', 'title'],
    img: ['src', 'alt', 'width', 'height'],
    td: ['colspan', 'rowspan'],
    th: ['colspan', 'rowspan', 'scope'],
    ol: ['start'],
    time: ['datetime'],
    abbr: ['title'],
};
const depthMax = 100;

function isSafeUrl(value, element) {
    let url;
    try {
        url = new URL(value, document.baseURI);
    } catch {
        return false;
    }
    if (element === 'img') return url.origin === location.origin || /^data:image\/(png|jpeg|gif|webp|svg\+xml)[;,]/i.test(value.trim());
    return ['http:', 'https:', 'mailto:', 'tel:'].includes(url.protocol);
}

function copyElement(node, target) {
    const name = node.localName;
    const copy = document.createElement(name);
    for (const attribute of attributes[name] ?? []) {
        const value = node.getAttribute(attribute);
        if (value === null) continue;
        if ((attribute === 'href' || attribute === 'src') && !isSafeUrl(value, name)) continue;
        copy.setAttribute(attribute, value);
    }
    if (name === 'a') copy.setAttribute('rel', 'noopener noreferrer nofollow');
    target.append(copy);
    return copy;
}

function copyChildren(from, to, depth) {
    for (const node of from.childNodes) {
        if (node.nodeType === Node.TEXT_NODE) to.append(node.data);
        if (node.nodeType !== Node.ELEMENT_NODE || removedWhole.has(node.localName) || depth > depthMax) continue;
        const next = elements.has(node.localName) ? copyElement(node, to) : to;
        copyChildren(node, next, depth + 1);
    }
}

/** HTML text in, harmless HTML text out. */
export function sanitise(html) {
    // Inert: nothing in it loads or runs. What it tries to do inline, the page's policy notes on the console.
    const parsed = document.createElement('template');
    parsed.innerHTML = html;
    const clean = document.implementation.createHTMLDocument('').createElement('div');
    copyChildren(parsed.content, clean, 0);
    return clean.innerHTML;
}

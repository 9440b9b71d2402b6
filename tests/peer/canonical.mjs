// The form in which answers are compared. What a server makes up (keys, tokens, hashes, times) becomes a symbol, numbered in the order
// in which it first occurs in the sequence: where Directus gives the same key twice, Spark must too.

import { counted, firstKey } from './pair.mjs';

const patterns = [
    ['uuid', /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/],
    ['jwt', /eyJ[\w-]+\.[\w-]+\.[\w-]+/],
    ['argon2', /\$argon2id?\$[\w$=,+/.-]+/],
    ['time', /20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?/],
    ['sha1', /\b[0-9a-f]{40}\b/],
    ['nanoid', /(?<![\w-])[\w-]{64}(?![\w-])/],
    ['key', /(?<![\d.])[1-9]\d{7}(?!\d)/],
];
const anything = new RegExp(patterns.map(([name, pattern]) => `(?<${name}>${pattern.source})`).join('|'), 'g');

const tableOf = (key) => counted.find((table) => key >= firstKey(table) && key < firstKey(table) + 999_999);
const isRecent = (text) => Math.abs(Date.parse(text.replace(' ', 'T')) - Date.now()) < 3 * 86_400_000;

/** known(text): is it part of the model or of a request, and so the same for both? */
export class Canonical {
    #symbols = new Map();
    #counts = new Map();

    constructor(known, hosts = []) {
        this.known = known;
        this.hosts = hosts;
    }

    #symbol(kind, value) {
        const key = `${kind} ${value}`;
        if (!this.#symbols.has(key)) {
            this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
            this.#symbols.set(key, `<${kind} ${this.#counts.get(kind)}>`);
        }
        return this.#symbols.get(key);
    }

    #found(match, groups, symbol) {
        const kind = Object.keys(groups).find((name) => groups[name] !== undefined);
        if (this.known.has(match)) return match;
        if (kind === 'time') return isRecent(match) ? `<now ${match.replace(/\d/g, '9')}>` : match;
        if (kind === 'argon2') return '<argon2>';
        if (kind === 'jwt') return '<jwt>'; // those of one second are the same
        if (kind === 'key') return tableOf(Number(match)) ? symbol(tableOf(Number(match)), match) : match;
        return symbol(kind, match);
    }

    text(text, symbol = (kind, value) => this.#symbol(kind, value)) {
        for (const host of this.hosts) text = text.replaceAll(host, '<host>');
        return text.replace(anything, (match, ...rest) => this.#found(match, rest.at(-1), symbol));
    }

    /** unordered: lists are sorted, by what is left when symbols have no numbers */
    value(value, unordered = false) {
        if (typeof value === 'string') return this.text(value);
        if (typeof value === 'number') return value >= 1e7 && tableOf(value) && !this.known.has(String(value)) ? `#${this.#symbol(tableOf(value), value)}` : value;
        if (Array.isArray(value)) {
            const bare = (item) => this.text(JSON.stringify(item) ?? '', (kind) => `<${kind}>`);
            const items = unordered ? value.map((item) => [bare(item), item]).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, item]) => item) : value;
            return items.map((item) => this.value(item, unordered));
        }
        if (value === null || typeof value !== 'object') return value;
        // The order of the fields is nobody's business, and must not number the symbols.
        return Object.fromEntries(Object.keys(value).sort().map((key) => [this.text(key), this.value(value[key], unordered)]));
    }
}

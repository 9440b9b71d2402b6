// Rows with rows below them, made and changed; then all that could have moved is read back.

const A = (n) => `00000000-0000-4000-8000-a0000000000${n}`;
const B = (n) => `00000000-0000-4000-8000-b0000000000${n}`;
const D = (n) => `00000000-0000-4000-8000-d0000000000${n}`;
const name = (chance) => `n${chance.below(1e7)}`;

const author = (chance, depth) =>
    chance.pick([
        () => A(1 + chance.below(6)),
        () => null,
        () => ({ name: name(chance), ...(depth > 0 && chance.chance(0.3) ? { boss: author(chance, depth - 1) } : {}), ...(chance.chance(0.3) ? { country: chance.pick(['de', { code: 'it', name: 'Italy' }, null]) } : {}) }),
        () => ({ id: A(1 + chance.below(6)), bio: name(chance) }),
    ])();

/** As a list that replaces, or as what is made, changed and taken away. */
function list(chance, keys, row) {
    const some = () => Array.from({ length: chance.below(3) }, () => row(chance));
    const few = () => keys.filter(() => chance.chance(0.4));
    if (chance.chance(0.4)) return [...few().map((key) => (chance.chance(0.5) ? key : { ...row(chance), id: key })), ...some()];
    return { create: some(), update: few().slice(0, 1).map((key) => ({ ...row(chance), id: key })), delete: few().slice(-1) };
}

const remark = (depth) => (chance) => ({ text: name(chance), ...(chance.chance(0.5) ? { stars: chance.below(6) } : {}), ...(depth > 0 && chance.chance(0.3) ? { author: author(chance, depth - 1) } : {}) });
const label = (chance) => ({ labels_id: chance.pick([B(1 + chance.below(6)), { name: name(chance) }, { id: B(1 + chance.below(6)), color: name(chance) }]), ...(chance.chance(0.3) ? { note: name(chance) } : {}) });
const block = (chance) => chance.pick([
    () => ({ collection: 'block_texts', item: { heading: name(chance) } }),
    () => ({ collection: 'block_texts', item: String(1 + chance.below(5)) }),
    () => ({ collection: 'block_quotes', item: { id: D(1 + chance.below(4)), quote: name(chance) } }),
    () => ({ collection: 'block_quotes', item: { quote: name(chance), author: author(chance, 0) } }),
])();
const translation = (chance) => ({ languages_code: chance.pick(['en-US', 'de-DE', { code: 'fr-FR' }]), title: name(chance) });

// The keys of the rows that article n has in the model.
const has = (n) => (f, count) => Array.from({ length: count }, (_, i) => i + 1).filter((i) => f(i) === n);
const below = (n) => ({ remarks: has(n)((i) => 1 + ((i * i) % 12), 39), labels: has(n)((i) => 1 + (i % 9), 20), blocks: has(n)((i) => 1 + (i % 4), 10), translations: has(n)((i) => 1 + (i % 5), 10) });

function article(chance, depth, keys) {
    const row = {};
    if (chance.chance(0.6)) row.title = name(chance);
    if (chance.chance(0.3)) row.views = chance.below(100);
    if (chance.chance(0.3)) row.status = chance.pick(['draft', 'published', 'archived']);
    if (chance.chance(0.4)) row.author = author(chance, depth);
    if (chance.chance(0.3)) row.category = chance.pick([1, 2, null, { name: name(chance) }, { id: 3, name: name(chance), parent: 1 }]);
    if (chance.chance(0.5)) row.remarks = list(chance, keys.remarks, remark(depth));
    if (chance.chance(0.4)) row.labels = list(chance, keys.labels, label);
    if (chance.chance(0.3)) row.blocks = list(chance, keys.blocks, block);
    if (chance.chance(0.3)) row.translations = list(chance, keys.translations, translation);
    return row;
}

const all = 'fields=*,author.*,category.*,remarks.*,labels.*,labels.labels_id.*,blocks.*,translations.*';
const nothing = { remarks: [], labels: [], blocks: [], translations: [] };

export function make(chance) {
    const counts = ['authors', 'labels', 'remarks', 'articles_labels', 'articles_blocks', 'articles_translations', 'categories', 'block_texts', 'block_quotes'].map((table) => `GET /items/${table}?aggregate[count]=*`);
    const left = 'GET /activity?aggregate[count]=*&groupBy=collection&sort=collection';
    const actor = chance.pick(['', '', '', 'editor ', 'junior ']);
    if (chance.chance(0.5)) {
        const n = 1 + chance.below(9);
        return [[`${actor}PATCH /items/articles/${n}?fields=id`, article(chance, 2, below(n))], `GET /items/articles/${n}?${all}`, ...counts, left];
    }
    return [[`${actor}POST /items/articles?fields=id`, { title: name(chance), ...article(chance, 2, nothing) }, { keep: 'row' }], `GET /items/articles/{row.id}?${all}`, ...counts, left];
}

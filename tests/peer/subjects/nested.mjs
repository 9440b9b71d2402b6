// Rows written with the rows they are related to.

const A = (n) => `00000000-0000-4000-8000-a0000000000${n}`;
const B = (n) => `00000000-0000-4000-8000-b0000000000${n}`;
const D = (n) => `00000000-0000-4000-8000-d0000000000${n}`;
const all = 'fields=*,author.*,remarks.*,labels.*,blocks.*,translations.*';
const make = (body, query = all) => [[`POST /items/articles?${query}`, { title: 't', ...body }, { keep: 'row' }], `GET /items/articles/{row.id}?${query}`];
const change = (key, body, query = all) => [[`PATCH /items/articles/${key}?${query}`, body], `GET /items/articles/${key}?${query}`];
const short = (body) => JSON.stringify(body).replaceAll('00000000-0000-4000-8000-', '').slice(0, 130);
const both = (body) => [[`make ${short(body)}`, make(body)], [`change ${short(body)}`, change(2, body)]];

const m2o = [{ author: A(1) }, { author: null }, { author: { name: 'New' } }, { author: { id: A(1) } }, { author: { id: A(1), name: 'Renamed' } }, { author: { id: A(9), name: 'With key' } }, { author: { id: A(9) } }, { author: {} }, { author: [] }, { author: 'x' }, { author: 1 }, { author: true }, { author: { email: 'no-name@example.com' } },
    { author: { name: 'New', country: 'de' } }, { author: { name: 'New', country: { code: 'it', name: 'Italy' } } }, { author: { name: 'New', country: { code: 'de', name: 'Deutschland' } } }, { author: { name: 'New', boss: { name: 'Chief' } } }, { author: { name: 'New', nope: 1 } }, { author: { id: null, name: 'x' } }, { author: { id: 'x', name: 'x' } },
    { category: { name: 'C', parent: { name: 'P' } } }, { category: { id: 2, name: 'Changed' } }, { category: { id: '2', name: 'Changed' } }, { category: 99 }, { category: '2' }, { category: { id: 99, name: 'With key' } }, { author: { name: 'New', email: 'author1@example.com' } }];
const o2m = [{ remarks: [] }, { remarks: null }, { remarks: [1, 2] }, { remarks: [{ text: 'a' }, { text: 'b' }] }, { remarks: [{ id: 1, text: 'changed' }] }, { remarks: [{ id: 999, text: 'with key' }] }, { remarks: [1, { text: 'c' }] }, { remarks: ['1'] }, { remarks: [999] }, { remarks: 'x' }, { remarks: 1 }, { remarks: {} }, { remarks: [null] }, { remarks: [[]] }, { remarks: [1, 1] },
    { remarks: { create: [{ text: 'a' }], update: [], delete: [] } }, { remarks: { create: [{ text: 'a' }, { text: 'b' }] } }, { remarks: { update: [{ id: 1, text: 'u' }] } }, { remarks: { update: [{ id: 3, text: 'u' }] } }, { remarks: { update: [{ id: 999, text: 'u' }] } }, { remarks: { update: [{ text: 'no key' }] } }, { remarks: { delete: [1] } }, { remarks: { delete: [1, 999] } }, { remarks: { delete: [4] } },
    { remarks: { delete: 1 } }, { remarks: { create: {} } }, { remarks: { add: [] } }, { remarks: { create: [{ text: 'a' }], delete: [1], update: [{ id: 5, stars: 9 }] } }, { remarks: [{ text: 'a', author: { name: 'Remarker' } }] }, { remarks: [{ text: 'a', author: A(1) }, { text: 'b', author: A(2), sort: 5 }] }, { remarks: [{ text: 'a', article: 5 }] }, { remarks: { create: [{ text: 'a', sort: 1 }, { text: 'b' }] } }];
const m2m = [{ labels: [] }, { labels: [{ labels_id: B(1) }] }, { labels: [{ labels_id: { name: 'fresh' } }] }, { labels: [{ labels_id: { id: B(1), color: 'pink' } }] }, { labels: [{ labels_id: B(1), note: 'n' }, { labels_id: B(2) }] }, { labels: [1] }, { labels: [{ id: 1, note: 'changed' }] }, { labels: [{ labels_id: B(9) }] }, { labels: [{ labels_id: { id: B(9), name: 'keyed' } }] }, { labels: [{}] }, { labels: [{ labels_id: null }] },
    { labels: { create: [{ labels_id: B(3) }], update: [], delete: [] } }, { labels: { create: [{ labels_id: { name: 'x1' } }, { labels_id: { name: 'x2' } }], update: [{ id: 1, note: 'u' }], delete: [10] } }, { labels: { delete: [1, 10, 19] } }, { labels: { create: [{ articles_id: 3, labels_id: B(1) }] } }, { labels: [{ labels_id: { name: 'label-1' } }] }, { labels: [{ articles_id: '+', labels_id: { id: B(1) } }] }];
const m2a = [{ blocks: [] }, { blocks: [{ collection: 'block_texts', item: '1' }] }, { blocks: [{ collection: 'block_texts', item: 1 }] }, { blocks: [{ collection: 'block_texts', item: { heading: 'H' } }] }, { blocks: [{ collection: 'block_quotes', item: { quote: 'Q', author: { name: 'Quoted' } } }] }, { blocks: [{ collection: 'block_quotes', item: { id: D(1), quote: 'changed' } }] }, { blocks: [{ collection: 'labels', item: B(1) }] },
    { blocks: [{ item: { heading: 'H' } }] }, { blocks: [{ item: '1' }] }, { blocks: [{ collection: 'nope', item: { a: 1 } }] }, { blocks: [{ collection: 'block_texts', item: '999' }] }, { blocks: [{ collection: 'block_texts', item: null }] }, { blocks: { create: [{ collection: 'block_texts', item: { heading: 'H' } }], update: [], delete: [] } }, { blocks: { create: [{ collection: 'block_texts', item: { heading: 'a' } }, { collection: 'block_quotes', item: D(2) }], delete: [1, 5] } },
    { blocks: { update: [{ id: 1, collection: 'block_quotes', item: { id: D(2), quote: 'u' } }] } }, { blocks: { update: [{ id: 1, item: { quote: 'u' } }] } }, { blocks: [1, 5] }];
const translations = [{ translations: [{ languages_code: 'en-US', title: 'T' }] }, { translations: [{ languages_code: { code: 'en-US' }, title: 'T' }] }, { translations: [{ languages_code: { code: 'it-IT', name: 'Italian' }, title: 'T' }] }, { translations: [{ languages_code: 'xx-XX' }] }, { translations: { create: [{ languages_code: { code: 'fr-FR' }, title: 'Titre' }], update: [{ id: 1, languages_code: { code: 'de-DE' }, title: 'Neu' }], delete: [] } },
    { translations: { create: [{ languages_code: 'en-US', title: 'a' }, { languages_code: 'de-DE', title: 'b' }] } }, { translations: null }, { translations: [] }, { translations: [{ title: 'no language' }] }];

export default Object.fromEntries([
    ...[...m2o, ...o2m, ...m2m, ...m2a, ...translations].flatMap(both),
    ['all at once', make({ author: { name: 'N' }, category: { name: 'C' }, remarks: [{ text: 'r', author: { name: 'R' } }], labels: [{ labels_id: { name: 'L' } }], blocks: [{ collection: 'block_texts', item: { heading: 'B' } }], translations: [{ languages_code: 'en-US', title: 'T' }] })],
    ['one author for all: from the other end', [['POST /items/authors?fields=name,articles.title,articles.remarks.text', { name: 'N', articles: [{ title: 'a', remarks: [{ text: '1' }, { text: '2' }] }, { title: 'b' }] }]]],
    ['staff below staff', [['POST /items/authors?fields=name,staff.name,staff.staff.name', { name: 'top', staff: [{ name: 'mid', staff: [{ name: 'low' }] }] }]]],
    ['children moved', [['PATCH /items/categories/1?fields=id,children.id', { children: [4, 5] }], 'GET /items/categories?fields=id,parent,sort']],
    ['children deselected', [['PATCH /items/categories/1?fields=id,children.id', { children: [] }], 'GET /items/categories?fields=id,parent']],
    ['deselected and deleted', [['PATCH /items/articles/2?fields=remarks', { remarks: [5, 7] }], 'GET /items/remarks?filter={"id":{"_in":[1,5,7,11]}}']],
    ['deselected and kept', [['PATCH /items/articles/2?fields=labels', { labels: [] }], 'GET /items/articles_labels?filter={"id":{"_in":[1,10,19]}}']],
    ['two articles share a new author', [['POST /items/articles?fields=title,author.name', [{ title: 'a', author: { name: 'One' } }, { title: 'b', author: { name: 'Two' } }]]]],
    ['changed by keys, nested', [['PATCH /items/articles?fields=id,author.name', { keys: [1, 2], data: { author: { name: 'Both' } } }], 'GET /items/authors?filter={"name":"Both"}&aggregate[count]=*']],
    ['changed by keys, a list', [['PATCH /items/articles?fields=id,remarks.text', { keys: [1, 2], data: { remarks: [{ text: 'r' }] } }]]],
    ['changed each, nested', [['PATCH /items/articles?fields=id,author.name', [{ id: 1, author: { name: 'X' } }, { id: 2, author: { name: 'Y' } }]]]],
    ['an error below takes all back', [['POST /items/articles', { title: 't', author: { name: 'Gone' }, labels: [{ labels_id: { name: 'label-1' } }] }], 'GET /items/authors?filter={"name":"Gone"}', 'GET /items/articles?aggregate[count]=*']],
    ['the ends of the junction', [['POST /items/labels?fields=name,articles.articles_id.title', { name: 'l', articles: [{ articles_id: 1 }, { articles_id: { title: 'new' } }] }]]],
    ['a cycle', [['PATCH /items/authors/' + A(1), { boss: { id: A(2), boss: A(1) } }], 'GET /items/authors?fields=name,boss.name,staff.name']],
    ['itself', [['PATCH /items/categories/3?fields=id,parent', { parent: 3 }]]],
    ['new by a junction row', [['POST /items/articles_labels?fields=*.*', { articles_id: { title: 'j' }, labels_id: { name: 'j' } }]]],
    ['a block from the junction', [['POST /items/articles_blocks?fields=*,item.*', { articles_id: 1, collection: 'block_texts', item: { heading: 'x' } }]]],
    ['a block from the junction, collection last', [['POST /items/articles_blocks', { articles_id: 1, item: { heading: 'x' }, collection: 'block_texts' }]]],
    ['a block from the junction, no collection', [['POST /items/articles_blocks', { articles_id: 1, item: { heading: 'x' } }]]],
    ['the item of a block changes', [['PATCH /items/articles_blocks/2?fields=*,item.*', { collection: 'block_texts', item: { id: 3, heading: 'x' } }]]],
    ['the collection of a block changes', [['PATCH /items/articles_blocks/2', { collection: 'block_quotes', item: D(1) }]]],
    ['many at once', [['POST /items/articles?fields=title,remarks.text', { title: 'many', remarks: Array.from({ length: 150 }, (_, i) => ({ text: `r${i}` })) }]]],
]);

// POST /utils/import/:collection: what files become.

const part = (name, type, text, field = 'file') => ['--b', `content-disposition: form-data; name="${field}"; filename="${name}"`, `content-type: ${type}`, '', text, ''].join('\r\n');
const file = (text, type = 'text/csv') => ({ text: `${part('x', type, text)}--b--\r\n`, headers: { 'content-type': 'multipart/form-data; boundary=b' } });
const json = (value) => file(typeof value === 'string' ? value : JSON.stringify(value), 'application/json');
const step = (line, options) => [line, undefined, options];
const lines = (...rows) => rows.join('\n');

const csvs = {
    'rows': ['labels', lines('name,color,weight', 'a,red,1', 'b,,2', '"c,d","say ""x""",3')],
    'types': ['articles', lines('title,views,price,featured,meta,published_at,day,score', 't1,5,1.50,true,"{""a"":1}",2024-01-02T03:04:05Z,2024-01-02,0.5', 't2,05,12,false,"[1,2]",,,', 't3,,,,null,,,1e2')],
    'texts that look like JSON': ['articles', lines('title,body,keywords', '123,456,true', '"{""a"":1}",null,"[1]"', '"""quoted""",007,1.0', 'true,false,-5')],
    'empty cells': ['labels', lines('name,color,weight', 'a,,', 'b,x', 'c,y,5,6', '', 'd')],
    'dotted names': ['articles', lines('title,author.name,author.email', 't,Nia,nia@example.com', 'u,,')],
    'keys that exist and keys that do not': ['labels', lines('id,name', '00000000-0000-4000-8000-b00000000001,changed', '00000000-0000-4000-8000-b00000000099,new')],
    'numbers as keys': ['categories', lines('id,name,sort', '1,changed,9', '99,new,3')],
    'a byte order mark': ['labels', `\ufeff${lines('name,color', 'a,b')}`],
    'lines of Windows': ['labels', 'name,color\r\na,b\r\nc,d\r\n'],
    'spaces': ['labels', lines(' name , color ', ' a , b ', '" c "," d "')],
    'lines in a value': ['articles', lines('title,body', 't,"one', 'two"', 'u,x')],
    'nothing': ['labels', ''],
    'names alone': ['labels', 'name,color'],
    'names twice': ['labels', lines('name,name', 'a,b')],
    'an open quote': ['labels', lines('name,color', '"a,b', 'c,d')],
    'a quote within': ['labels', lines('name,color', 'a"b,c', '"a"b,c')],
    'unknown names': ['labels', lines('name,nope', 'a,b')],
    'one fails': ['labels', lines('name', 'x', 'label-1', 'y')],
    'several fail': ['articles', lines('title,views', 'a,1', ',x', 'b,nope', ',2')],
    'many fail': ['articles', lines('title,views', ...Array.from({ length: 30 }, (_, n) => ([2, 3, 5, 6, 7, 8, 12, 20, 21, 22].includes(n + 1) ? ',1' : `t${n},1`)))],
    'two rules fail': ['articles', lines('title,status,views', ',x,1', 'a,y,2', ',z,3')],
    'an unknown reference': ['articles', lines('title,author', 't,00000000-0000-4000-8000-a00000000099')],
    'too long': ['labels', lines('name', 'x'.repeat(60))],
    'tabs': ['labels', 'name\tcolor\na\tb'],
    'a key that is none': ['categories', lines('id,name', 'x,y')],
    'semicolons': ['labels', lines('name;color', 'a;b')],
    'to-many': ['articles', lines('title,remarks', 't,"[{""text"":""r""}]"')],
    'names with dots, deep': ['remarks', lines('text,article.title,article.author.name', 'r,t,n')],
    'prototypes': ['labels', lines('name,__proto__.x,constructor', 'a,b,c')],
    'a singleton': ['about', lines('headline', 'imported')],
};
const jsons = {
    'rows': ['labels', [{ name: 'a', color: 'x' }, { name: 'b' }]],
    'keys that exist and keys that do not': ['labels', [{ id: '00000000-0000-4000-8000-b00000000001', name: 'changed' }, { id: '00000000-0000-4000-8000-b00000000099', name: 'new' }]],
    'one object': ['labels', { name: 'a' }],
    'nothing': ['labels', []],
    'an empty file': ['labels', ''],
    'no JSON': ['labels', '[{"name":"a"},'],
    'broken later': ['labels', '[{"name":"a"}, nope]'],
    'no objects': ['labels', [1, 'x', null]],
    'nested': ['articles', [{ title: 't', author: { name: 'N' }, remarks: [{ text: 'r' }], labels: [{ labels_id: { name: 'l' } }] }]],
    'one fails': ['labels', [{ name: 'x' }, { name: 'label-1' }]],
    'several fail': ['articles', [{ title: 'a' }, { views: 1 }, { title: null }]],
    'a text': ['labels', '"x"'],
};
const show = { labels: 'fields=name,color,weight&sort=name&limit=20', articles: 'fields=title,body,keywords,views,price,featured,meta,published_at,day,score,author.name,author.email,remarks.text&sort=-id&limit=5', categories: 'fields=id,name,sort&sort=id&filter={"name":{"_nstarts_with":"Cat"}}', remarks: 'fields=text,article.title,article.author.name&sort=-id&limit=2', about: '' };

const seen = (kind, make) => ([name, [collection, text]]) => [`import ${kind}: ${name}`, [step(`POST /utils/import/${collection}`, make(text)), `GET /items/${collection}?${show[collection]}`, 'GET /activity?sort=id&fields=action,collection,user.first_name']];

export default {
    ...Object.fromEntries(Object.entries(csvs).map(seen('csv', file))),
    ...Object.fromEntries(Object.entries(jsons).map(seen('json', json))),
    'import: types of files': ['text/csv', 'application/vnd.ms-excel', 'application/json', 'text/plain', 'application/xml', ''].map((type) => step('POST /utils/import/labels', file(type.endsWith('json') ? '[]' : 'name', type))),
    'import: as others': [...['public', 'editor', 'junior', 'app', 'none'].map((who) => step(`${who} POST /utils/import/articles`, file('title\nt'))), ...['public', 'editor', 'app'].map((who) => step(`${who} POST /utils/import/labels`, file('name\na'))), step('editor POST /utils/import/articles', file('id,title\n1,x\n9999,y'))],
    'import: wrong': [step('POST /utils/import/nope', file('a\nb')), step('POST /utils/import/labels', { text: 'x', headers: { 'content-type': 'text/csv' } }), step('POST /utils/import/labels', { text: '[]', headers: { 'content-type': 'application/json' } })],
};

// The page of the API: lists what /server/specs/oas describes.

const $ = (id) => document.getElementById(id);

const copyOf = (template) => $(template).content.firstElementChild.cloneNode(true);

const who = (security) => {
    if (security.length === 0) return 'Open.';
    return security.some((one) => Object.keys(one).length === 0) ? 'With or without a token.' : 'Needs a token.';
};

/** [{ tag, method, path, summary, facts }] in the order of the description. */
function operationsOf({ paths }) {
    return Object.entries(paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([key, operation]) => ({
            tag: operation.tags[0],
            method: key.replace('x-', '').toUpperCase(),
            path,
            summary: operation.summary,
            facts: [who(operation.security), operation.requestBody?.description].filter(Boolean).join(' '),
        })));
}

function rowOf(operation) {
    const row = copyOf('route');
    for (const name of ['method', 'path', 'summary', 'facts']) row.querySelector(`.${name}`).textContent = operation[name];
    return row;
}

function sectionOf(tag, operations) {
    const section = copyOf('section');
    section.querySelector('h2').textContent = tag.name;
    section.querySelector('.note').textContent = tag.description ?? '';
    section.querySelector('.routes').append(...operations.map(rowOf));
    return section;
}

function show(description, wanted) {
    const found = operationsOf(description).filter(({ method, path, summary }) =>
        `${method} ${path} ${summary}`.toLowerCase().includes(wanted.toLowerCase()));
    const sections = description.tags
        .map((tag) => [tag, found.filter((operation) => operation.tag === tag.name)])
        .filter(([, operations]) => operations.length > 0)
        .map(([tag, operations]) => sectionOf(tag, operations));
    $('sections').replaceChildren(...sections);
    $('note').textContent = `${found.length} ${found.length === 1 ? 'route' : 'routes'}`;
}

try {
    const answer = await fetch('../server/specs/oas');
    if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
    const description = await answer.json();
    $('find').addEventListener('input', () => show(description, $('find').value));
    show(description, $('find').value);
} catch (error) {
    $('note').textContent = `The description cannot be read: ${error.message}`;
}

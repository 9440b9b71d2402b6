// What differs, in groups of route and kind, the largest first, each with its first pair of answers side by side.

const parameters = [
    [/\{[\w.]+\}|[0-9a-f]{8}-[0-9a-f-]{27}/g, ':id'],
    [/\/\d+(?=\/|$)/g, '/:id'],
];

export function routeOf(step) {
    if (step.sql) return 'sql';
    let path = step.path.split('?')[0];
    for (const [pattern, name] of parameters) path = path.replace(pattern, name);
    path = path.replace(/^\/items\/\w+/, '/items/:collection').replace(/^\/(fields|relations|collections)\/\w+(\/\w+)?/, (_, root, field) => `/${root}/:collection${field ? '/:field' : ''}`);
    return `${step.method} ${path}`;
}

const sentence = (value) => String(value).replace(/"[^"]*"|'[^']*'|\d+/g, '…');

/** Sentences that differ in the same way are of one kind. */
export const kindOf = ({ path, what, directus, spark }) =>
    `${path.replace(/\[\d+\]/g, '[]')}: ${/\.(message|reason)$/.test(path) && what === 'value' ? `${sentence(directus)} ≠ ${sentence(spark)}` : what}`;

const short = (value, size = 500) => {
    const text = JSON.stringify(value) ?? 'nothing';
    return text.length > size ? `${text.slice(0, size)} … (${text.length} characters)` : text;
};

export function tell(failure) {
    const step = failure.steps[failure.at];
    return [
        `    sequence   ${failure.name} (step ${failure.at + 1} of ${failure.steps.length})`,
        `    request    ${(step.sql ?? step.line)}${step.query ? ` query ${short(step.query)}` : ''}${step.body === undefined ? '' : ` ${short(step.body)}`}${step.text === undefined ? '' : ` ${step.text}`}`,
        `    at         ${failure.difference.path}: ${short(failure.difference.directus, 200)}  ≠  ${short(failure.difference.spark, 200)}`,
        `    Directus   ${failure.directus[failure.at].status} ${short(failure.directus[failure.at].body)}`,
        `    Spark      ${failure.spark[failure.at].status} ${short(failure.spark[failure.at].body)}`,
    ].join('\n');
}

/** One line: the request, and what each says. */
export function line({ name, steps, at, difference, directus, spark }) {
    const step = steps[at];
    const request = `${step.sql ?? step.line}${step.query ? ` query ${JSON.stringify(step.query)}` : ''}${step.body === undefined ? '' : ` body ${JSON.stringify(step.body)}`}`;
    const said = (answer, value) => `${answer.status} ${difference.path === 'status' ? short(answer.body, 200) : `${difference.path} ${short(value, 200)}`}`;
    return `[${name}${steps.length > 1 ? `, step ${at + 1}` : ''}] ${short(request, 400)} | Directus: ${said(directus[at], difference.directus)} | Spark: ${said(spark[at], difference.spark)}`;
}

export function group(failures) {
    const groups = new Map();
    for (const failure of failures) {
        const name = `${routeOf(failure.steps[failure.at])} · ${kindOf(failure.difference)}`;
        groups.set(name, [...(groups.get(name) ?? []), failure]);
    }
    return [...groups].sort(([, a], [, b]) => b.length - a.length);
}

export function report(results, { verbose = false } = {}) {
    const lines = [];
    const failures = results.filter((result) => result.difference);
    for (const [name, members] of group(failures)) {
        lines.push(`${members.length} × ${name}`, tell(members[0]));
        const others = members.slice(1).map((member) => member.name);
        if (verbose) for (const member of members.slice(1)) lines.push(tell(member));
        else if (others.length > 0) lines.push(`    also       ${others.slice(0, 12).join('; ')}${others.length > 12 ? `; and ${others.length - 12} more` : ''}`);
        lines.push('');
    }
    const subjects = new Map();
    for (const { subject, difference } of results) {
        const [alike, all] = subjects.get(subject) ?? [0, 0];
        subjects.set(subject, [alike + (difference ? 0 : 1), all + 1]);
    }
    lines.push('alike   of  subject');
    for (const [subject, [alike, all]] of subjects) lines.push(`${String(alike).padStart(5)} ${String(all).padStart(4)}  ${subject}`);
    const rules = new Map();
    for (const name of results.flatMap((result) => result.accepted)) rules.set(name, (rules.get(name) ?? 0) + 1);
    for (const [name, count] of rules) lines.push(`accepted ${count} ×: ${name}`);
    lines.push(`${results.length} sequences: ${results.length - failures.length} alike, ${failures.length} differ`);
    return lines.join('\n');
}

// Two answers, field by field.

import { accepted, acceptedFields } from './accepted.mjs';

const kindOf = (value) => (value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value);

function* differences(directus, spark, path) {
    if (kindOf(directus) !== kindOf(spark)) {
        yield { path, what: `${kindOf(directus)} ≠ ${kindOf(spark)}`, directus, spark };
    } else if (Array.isArray(directus)) {
        if (directus.length !== spark.length) yield { path, what: 'length', directus: directus.length, spark: spark.length };
        for (let i = 0; i < Math.min(directus.length, spark.length); i++) yield* differences(directus[i], spark[i], `${path}[${i}]`);
    } else if (kindOf(directus) === 'object') {
        for (const key of Object.keys(directus))
            if (!(key in spark)) yield { path: `${path}.${key}`, what: 'missing', directus: directus[key], spark: undefined };
        for (const key of Object.keys(spark))
            if (!(key in directus)) yield { path: `${path}.${key}`, what: 'too much', directus: undefined, spark: spark[key] };
        for (const key of Object.keys(directus)) if (key in spark) yield* differences(directus[key], spark[key], `${path}.${key}`);
    } else if (directus !== spark) {
        yield { path, what: 'value', directus, spark };
    }
}

const codeOf = (answer) => answer.body?.errors?.[0]?.extensions?.code;

/** The first difference of two answers, by weight: status, code, type, body; undefined when they are alike or the difference is accepted. */
export function compareAnswers(step, directus, spark) {
    const rule = accepted.find((rule) => rule.holds({ step, directus, spark, codes: [codeOf(directus), codeOf(spark)] }));
    if (rule) return { accepted: rule.name, ends: rule.ends };
    if (directus.status !== spark.status)
        return { path: 'status', what: `${directus.status} ${codeOf(directus) ?? ''} ≠ ${spark.status} ${codeOf(spark) ?? ''}`, directus: directus.status, spark: spark.status };
    if (codeOf(directus) !== codeOf(spark)) return { path: 'code', what: `${codeOf(directus)} ≠ ${codeOf(spark)}`, directus: codeOf(directus), spark: codeOf(spark) };
    if (directus.type !== spark.type) return { path: 'content-type', what: 'value', directus: directus.type, spark: spark.type };
    for (const difference of differences({ body: directus.body, headers: directus.headers }, { body: spark.body, headers: spark.headers }, ''))
        if (!acceptedFields.some(({ on, at, is }) => on.test(step.path) && at.test(difference.path) && (is?.(difference, step) ?? true))) return difference;
    return undefined;
}

/** → { at, difference, accepted: names } of the first step that differs. Later steps follow from it, often. */
export function compareSequence(steps, directus, spark) {
    const names = [];
    for (const [at, step] of steps.entries()) {
        const difference = compareAnswers(step, directus[at], spark[at]);
        if (difference?.accepted) names.push(difference.accepted);
        if (difference?.ends) break;
        if (difference && !difference.accepted) return { at, difference, accepted: names };
    }
    return { accepted: names };
}

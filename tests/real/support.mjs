// The real data of SPARK_REAL_DATA as parts of a site's blueprint.

import { readFile } from 'node:fs/promises';
import path from 'node:path';

const folder = process.env.SPARK_REAL_DATA || 'data/spark';

/** The rows of an export: {collection, exportedAt, recordCount, data}. */
export async function rowsOf(collection) {
    const text = await readFile(path.join(folder, `${collection}_2025-12-13.json`), 'utf8');
    return JSON.parse(text).data;
}

const pick = (row, ...names) => Object.fromEntries(names.filter((name) => row[name] != null).map((name) => [name, row[name]]));

/** A site of the real data, with a campaign that runs over all its patterns. */
export async function realBlueprint() {
    const [templates, avatars, variants, patterns, dictionaries, geo, offers, fragments] = await Promise.all(
        ['article_templates', 'avatar_intelligence', 'avatar_variants', 'cartesian_patterns', 'spintax_dictionaries',
            'geo_intelligence', 'offer_blocks', 'content_fragments'].map(rowsOf));
    return {
        format: 'spark-site/1',
        templates: templates.map((row) => pick(row, 'name', 'structure_json')),
        avatars: avatars.map((row) => pick(row, 'avatar_key', 'base_name', 'wealth_cluster', 'business_niches', 'data')),
        avatar_variants: variants.map((row) => pick(row, 'avatar_key', 'variant_type', 'data')),
        patterns: patterns.map((row) => pick(row, 'pattern_key', 'pattern_type', 'data')),
        dictionaries: dictionaries.map((row) => pick(row, 'category', 'data')),
        geo: geo.map((row) => pick(row, 'cluster_key', 'data')),
        offer_blocks: offers.map((row) => ({ ...pick(row, 'block_type', 'data'), block_id: row.data.id })),
        campaigns: [{
            name: 'Real',
            headline_patterns: ['*'],
            article_template: templates[0].name,
            niche_variables: { Niche: 'clinics', Result: 'growth', Benefit: 'time', Product: 'system', Avatar: 'founder', Fear: 'waste', Pain_Point: 'churn', Author: 'Ann' },
        }],
        fragments: fragments.map((row) => pick(row, 'fragment_type', 'content_body')),
    };
}

/** Puts it into a new site of `stack`: {id, campaign}. */
export async function realSite(stack, name = 'real') {
    await stack.request('POST', '/items/sites', { name, domain: `${name}.example` });
    const id = (await stack.request('GET', `/items/sites?filter[name][_eq]=${name}&fields=id`)).body.data[0].id;
    const answer = await stack.request('POST', '/api/admin/import-blueprint', { ...(await realBlueprint()), site_id: id });
    if (answer.status !== 200) throw new Error(answer.text);
    const found = await stack.request('GET', `/items/campaign_masters?filter[site_id][_eq]=${id}&fields=id`);
    return { id, campaign: found.body.data[0].id, stored: answer.body.stored };
}

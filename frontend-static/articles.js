// The newest articles, and one of them in a dialog.

import * as format from './format.js';
import { sanitise } from './sanitise.js';
import { ApiError, get } from './session.js';

const limit = 12;
const listFields = 'id,title,slug,status,word_count,date_created';
const articleFields = 'id,title,content,status,word_count,date_created,meta_description,location_city,location_state,featured_image_svg,featured_image_alt';

const statusNames = {
    queued: 'Queued',
    processing: 'Being written',
    qc: 'In review',
    approved: 'Approved',
    published: 'Published',
    draft: 'Draft',
    archived: 'Archived',
};

const $ = (id) => document.getElementById(id);
const statusName = (status) => statusNames[status] ?? String(status ?? '');

function showTime(time, date) {
    time.dateTime = date.toISOString();
    time.title = format.moment(date);
    time.textContent = format.ago(date);
}

function makeRow(article) {
    const row = $('article-row').content.cloneNode(true);
    const pill = row.querySelector('.pill');
    row.querySelector('li').dataset.id = article.id;
    row.querySelector('.title').textContent = article.title || 'Untitled';
    pill.textContent = statusName(article.status);
    pill.dataset.status = article.status;
    row.querySelector('.words').textContent = article.word_count === null ? '' : format.amount(article.word_count, 'word');
    if (article.date_created) showTime(row.querySelector('time'), new Date(article.date_created));
    row.querySelector('button').addEventListener('click', () => openArticle(article));
    return row;
}

function note(text) {
    $('articles-note').textContent = text;
    $('articles-note').hidden = text === '';
}

let shown = '';

function showList(articles) {
    const now = JSON.stringify(articles);
    if (now === shown) return; // keep the focus where it is
    const focused = document.activeElement?.closest?.('#article-list li')?.dataset.id;
    $('article-list').replaceChildren(...articles.map(makeRow));
    if (focused) $('article-list').querySelector(`li[data-id="${CSS.escape(focused)}"] button`)?.focus();
    note(articles.length === 0 ? 'No articles yet. They appear here as the workers write them.' : '');
    shown = now;
}

/** Throws what the caller must deal with: a lost session, a server that is away. */
export async function refreshArticles() {
    try {
        const { data } = await get(`items/generated_articles?sort=-date_created&limit=${limit}&fields=${listFields}`);
        showList(data);
    } catch (error) {
        if (error instanceof ApiError && !error.isSignedOut && error.status < 500) {
            clearArticles('This database has no articles that you may read.');
            return;
        }
        throw error;
    }
}

export function clearArticles(text = 'Loading') {
    shown = '';
    $('article-list').replaceChildren();
    note(text);
}

export function refreshTimes() {
    for (const time of $('article-list').querySelectorAll('time[datetime]')) showTime(time, new Date(time.dateTime));
}

const escape = (text) => new Option(text).innerHTML;

function previewDocument(article) {
    const theme = document.documentElement.dataset.theme ?? 'auto';
    const image = article.featured_image_svg
        ? `<img class="cover" src="data:image/svg+xml,${encodeURIComponent(article.featured_image_svg)}" alt="${escape(article.featured_image_alt ?? '').replaceAll('"', '&quot;')}">`
        : '';
    return `<!doctype html><html lang="en" data-theme="${theme}"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><link rel="stylesheet" href="theme.css"><link rel="stylesheet" href="article.css"></head><body>${image}${sanitise(article.content ?? '')}</body></html>`;
}

function metaLine(article) {
    const place = [article.location_city, article.location_state].filter(Boolean).join(', ');
    const words = Number.isFinite(article.word_count) ? format.amount(article.word_count, 'word') : '';
    const made = article.date_created ? format.ago(new Date(article.date_created)) : '';
    return [statusName(article.status), words, place, made].filter(Boolean).join(' · ');
}

let opening = 0;

async function openArticle(summary) {
    const turn = ++opening;
    const preview = $('article-preview');
    $('article-title').textContent = summary.title || 'Untitled';
    $('article-meta').textContent = metaLine(summary);
    $('article-note').textContent = 'Loading';
    preview.hidden = true;
    $('article').showModal();
    try {
        const { data } = await get(`items/generated_articles/${encodeURIComponent(summary.id)}?fields=${articleFields}`);
        if (turn !== opening) return; // another one was opened meanwhile
        $('article-meta').textContent = metaLine(data);
        $('article-note').textContent = data.content ? '' : 'This article has no text yet.';
        preview.title = `Preview of ${data.title}`;
        preview.srcdoc = previewDocument(data);
        preview.hidden = !data.content;
    } catch (error) {
        if (turn === opening) $('article-note').textContent = error.message;
    }
}

export function wireDialog() {
    const dialog = $('article');
    $('article-close').addEventListener('click', () => dialog.close());
    dialog.addEventListener('click', (event) => {
        if (event.target === dialog) dialog.close(); // the backdrop
    });
    dialog.addEventListener('close', () => {
        opening++;
        $('article-preview').removeAttribute('srcdoc');
    });
}

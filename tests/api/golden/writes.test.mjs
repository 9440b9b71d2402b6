// What Directus answered to writes of items.
import { replaySubjects } from '../../support/golden.mjs';

replaySubjects(['encrypt', 'items', 'nested', 'rules', 'stamps', 'types', 'random-payloads']);

// What Directus answered to writes of items.
import { replaySubjects } from '../../support/golden.mjs';

replaySubjects(['items', 'nested', 'rules', 'stamps', 'types', 'random-payloads']);

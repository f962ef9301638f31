import { expect, test } from 'vitest';
import type { TabId } from '@core/protocol/ids.ts';
import { PROTOCOL } from '@core/protocol/tabs.ts';
import { MemoryBus, type MemoryTransport } from '../support/memory-transport.ts';
import { inbox, transportContract, type Ends } from './transport-contract.ts';

const endsOf = (near: MemoryTransport, far: MemoryTransport): Ends => ({
  near,
  far: {
    post: (envelope) => far.post(envelope),
    postRaw: (data) => far.postRaw(data),
    next: inbox(far).next,
    close: () => far.close(),
  },
});

transportContract('channel in memory', false, () => {
  const bus = new MemoryBus();
  return endsOf(bus.opener('near')('channel'), bus.opener('far')('channel'));
});

transportContract('port in memory', true, () => endsOf(...new MemoryBus().pair('near', 'far')));

test('a frozen tab hears in order what came meanwhile, once it goes on', () => {
  const held: (() => void)[] = [];
  const bus = new MemoryBus((to, run) => (to === 'frozen' ? held.push(run) : run()));
  const [frozen, awake, sender] = ['frozen', 'awake', 'sender'].map((party) => bus.opener(party)('channel'));
  const heard: string[] = [];
  frozen!.listen(({ body }) => heard.push(`frozen ${JSON.stringify(body)}`));
  awake!.listen(({ body }) => heard.push(`awake ${JSON.stringify(body)}`));
  const envelope = { v: PROTOCOL, epoch: 1, tab: 'tab' as TabId, from: 'page', to: '*' } as const;
  sender!.post({ ...envelope, body: [1] });
  sender!.post({ ...envelope, body: [2] });
  expect(heard).toEqual(['awake [1]', 'awake [2]']);
  for (const run of held) run();
  expect(heard.slice(2)).toEqual(['frozen [1]', 'frozen [2]']);
});

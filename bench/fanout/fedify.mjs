// Fedify's side of bench/run_fanout.py: one activity for each line of inboxes on standard input.
import { createInterface } from "node:readline";
import { createFederation, generateCryptoKeyPair, InProcessMessageQueue, MemoryKvStore } from "@fedify/fedify";
import { Create, Note, Person, PUBLIC_COLLECTION } from "@fedify/vocab";

const [stats, knock] = process.argv.slice(2);

const federation = createFederation({
  kv: new MemoryKvStore(),
  queue: new InProcessMessageQueue(),
  allowPrivateAddress: true,
  firstKnock: knock,
});
const pair = await generateCryptoKeyPair("RSASSA-PKCS1-v1_5");
federation
  .setActorDispatcher("/users/{identifier}", async (ctx, id) => new Person({ id: ctx.getActorUri(id) }))
  .setKeyPairsDispatcher(async () => [pair]);
federation.setInboxListeners("/users/{identifier}/inbox", "/inbox");
const origin = new URL("http://127.0.0.1:9/");
const ctx = federation.createContext(origin, undefined);
const actor = ctx.getActorUri("a");

async function fanOut(name, { inboxes: targets, content }) {
  const recipients = targets.map((inbox) => ({ id: new URL(`${inbox}/actor`), inboxId: new URL(inbox), endpoints: null }));
  const note = new Note({ id: new URL(`/n/${name}`, origin), content, attribution: actor });
  const create = new Create({ id: new URL(`/c/${name}`, origin), actor, to: PUBLIC_COLLECTION, object: note });
  await (await fetch(`${stats}?reset`)).json();
  const begin = performance.now();
  await ctx.sendActivity({ identifier: "a" }, recipients, create);
  const queued = performance.now() - begin;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const seen = await (await fetch(stats)).json();
    if (seen.count >= targets.length || performance.now() - begin > 120_000) return { queued, ...seen };
  }
}

let number = 0;
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await fanOut(number++, JSON.parse(line))));
}
process.exit(0);

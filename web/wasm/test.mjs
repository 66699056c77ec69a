// The committed artefact does what the vectors say and keeps nothing of a record: `cargo xtask wasm --check`.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { check_record, initSync, replay_vectors } from "./rochdale.js";

const here = new URL("./", import.meta.url);
const vectors = new URL("../../vectors/", here);
const module = new WebAssembly.Module(readFileSync(new URL("rochdale_bg.wasm", here)));
const { memory } = initSync({ module });

// What a founder configures is checked by the chain's crate and by the contracts.
const elsewhere = "founding.json";
const names = readdirSync(vectors).filter((name) => name.endsWith(".json") && name !== elsewhere);
const files = Object.fromEntries(names.map((name) => [name, readFileSync(new URL(name, vectors), "utf8")]));
const counts = JSON.parse(replay_vectors(JSON.stringify(files)));
assert.deepEqual(Object.keys(counts).sort(), names.sort());
for (const [name, count] of Object.entries(counts)) assert.ok(count > 0, name);

// One word changed in a file is noticed by the artefact too.
const changed = { ...files };
const leaf = files["rows.json"].lastIndexOf("0x");
changed["rows.json"] = files["rows.json"].slice(0, leaf + 2) + (files["rows.json"][leaf + 2] === "0" ? "1" : "0") + files["rows.json"].slice(leaf + 3);
assert.throws(() => replay_vectors(JSON.stringify(changed)), /rows\.json/);

// A record is scored, and its text is in no memory afterwards.
const canary = "Zerbrechlich-7302";
const record = JSON.stringify({
  resourceType: "Bundle",
  type: "collection",
  entry: [
    { resource: { resourceType: "Patient", id: "p1", gender: "female", birthDate: "1980-02-03", name: [{ family: canary }] } },
    {
      resource: {
        resourceType: "Observation",
        id: "o1",
        status: "final",
        subject: { reference: "Patient/p1" },
        code: { coding: [{ system: "http://loinc.org", code: "8867-4" }], text: canary },
        effectiveDateTime: "2024-05-06",
        valueQuantity: { value: 72, unit: "/min", system: "http://unitsofmeasure.org", code: "/min" },
      },
    },
  ],
});
const looked = JSON.parse(check_record("record.json", new TextEncoder().encode(record), Date.UTC(2026, 0, 1) / 1000));
assert.equal(looked.records.length, 1);
assert.ok(looked.records[0].quality > 0 && !looked.records[0].gated, JSON.stringify(looked));
assert.equal(looked.records[0].parts.length, 4);
assert.ok(!Buffer.from(memory.buffer).includes(canary), "the memory still holds the record");

const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
console.log(`${total} cases of ${names.length} files hold in the artefact; a record that was scored is gone from its memory`);

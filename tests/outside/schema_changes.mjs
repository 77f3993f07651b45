// The changes between two schemas that break clients, as JSON, by graphql-inspector; a field that was deprecated may go.
import { readFileSync } from "node:fs";
import { CriticalityLevel, DiffRule, diff } from "@graphql-inspector/core";
import { buildSchema } from "graphql";

const [before, after] = process.argv.slice(2, 4).map((file) => buildSchema(readFileSync(file, "utf8")));
const changes = await diff(before, after, [DiffRule.suppressRemovalOfDeprecatedField]);
const breaking = changes.filter((each) => each.criticality.level === CriticalityLevel.Breaking);
console.log(JSON.stringify(breaking.map((each) => each.message)));

// The findings of graphql-eslint's rules for schemas, one a line; nothing where there are none.
import { ESLint } from "eslint";
import plugin from "@graphql-eslint/eslint-plugin";

const named = (rule) => `@graphql-eslint/${rule}`;
const rules = {
  ...plugin.configs["flat/schema-recommended"].rules,
  ...plugin.configs["flat/schema-relay"].rules,
  [named("require-description")]: ["error", { types: true, rootField: true, FieldDefinition: true, InputValueDefinition: true, EnumValueDefinition: true }],
  [named("input-name")]: ["error", { checkInputType: true, caseSensitiveInputType: false }],
  [named("no-scalar-result-type-on-mutation")]: "error",
  [named("require-nullable-fields-with-oneof")]: "error",
  // Values without a life of their own have no id: a refusal, an address of a page. What has a row has one (tests/schema/test_sdl.py).
  [named("strict-id-in-types")]: "off",
  // Not every list is a page: the three names of a division are a list, its cases a connection.
  [named("relay-edge-types")]: ["error", { withEdgeSuffix: true, shouldImplementNode: true, listTypeCanWrapOnlyEdgeType: false }],
  // `Code.code` is what the standards call it; no other type may name itself in its fields.
  [named("no-typename-prefix")]: "error",
};
const eslint = new ESLint({
  overrideConfigFile: true,
  overrideConfig: [
    {
      files: ["**/*.graphql"],
      languageOptions: { parser: plugin.parser, parserOptions: { graphQLConfig: { schema: "schema.graphql" } } },
      plugins: { "@graphql-eslint": plugin },
      rules,
    },
  ],
});
const [{ messages }] = await eslint.lintFiles(["schema.graphql"]);
const allowed = (each) => each.ruleId === named("no-typename-prefix") && each.message.includes('"Code"');
for (const each of messages) if (!allowed(each)) console.log(`${each.line} ${each.ruleId}: ${each.message}`);

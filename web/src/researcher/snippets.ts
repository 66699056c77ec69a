//! The same question for programs: they have `rochdale` ask, which keeps the order before it sends it, as this page does. Nothing that stands in a
//! question is ever a command.
export interface Asked {
  readonly json: string;
  readonly license: number;
  readonly purpose: number;
  readonly site: string;
}

const NAMES: Record<number, string> = { 4: "nres", 6: "hmb", 7: "ds", 11: "poa", 42: "gru" };

const words = ({ license, purpose, site }: Asked) => ["researcher", "query", "--name", "NAME", "--license", String(license), "--purpose", NAMES[purpose] ?? "hmb", "--url", site];

/** One line, of ASCII alone: no line of it ends a text or begins a command. */
const dense = (json: string): string => JSON.stringify(JSON.parse(json)).replaceAll(/[^ -~]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);
/** A word of a shell: within such quotes only the quote itself means something. */
const quoted = (text: string): string => (/^[\w:/.-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`);
/** A text of Python and of R: JSON's escapes of ASCII mean the same in both. */
const literal = (text: string): string => JSON.stringify(text);

export const shell = (asked: Asked): string => `printf '%s' ${quoted(dense(asked.json))} > query.json
rochdale ${words(asked).map(quoted).join(" ")} query.json
`;

export const python = (asked: Asked): string => `import json, subprocess

query = json.loads(${literal(dense(asked.json))})
with open("query.json", "w") as file:
    json.dump(query, file)
asked = ["rochdale", ${words(asked).map(literal).join(", ")}, "--yes", "--json", "query.json"]
answer = json.loads(subprocess.run(asked, check=True, capture_output=True, text=True).stdout)
for figure in answer["figures"]:
    print(figure["label"], figure["value"], figure["unit"], figure["interval_95"])
`;

export const r = (asked: Asked): string => `library(jsonlite)

writeLines(${literal(dense(asked.json))}, "query.json")
asked <- c(${words(asked).map(literal).join(", ")}, "--yes", "--json", "query.json")
answer <- fromJSON(paste(system2("rochdale", asked, stdout = TRUE), collapse = "\\n"))
print(answer$figures)
`;

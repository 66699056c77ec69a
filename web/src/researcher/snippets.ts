//! The same question for programs: they have `rochdale` ask, which keeps the order before it sends it, as this page does.
export interface Asked {
  readonly json: string;
  readonly license: number;
  readonly purpose: number;
  readonly site: string;
}

const NAMES: Record<number, string> = { 4: "nres", 6: "hmb", 7: "ds", 11: "poa", 42: "gru" };

const words = ({ license, purpose, site }: Asked) => ["researcher", "query", "--name", "NAME", "--license", String(license), "--purpose", NAMES[purpose] ?? "hmb", "--url", site];

export const shell = (asked: Asked): string => `cat > query.json <<'JSON'
${asked.json}
JSON
rochdale ${words(asked).join(" ")} query.json
`;

export const python = (asked: Asked): string => `import json, subprocess

query = json.loads('''
${asked.json}
''')
with open("query.json", "w") as file:
    json.dump(query, file)
asked = ["rochdale", ${words(asked).map((word) => JSON.stringify(word)).join(", ")}, "--yes", "--json", "query.json"]
answer = json.loads(subprocess.run(asked, check=True, capture_output=True, text=True).stdout)
for figure in answer["figures"]:
    print(figure["label"], figure["value"], figure["unit"], figure["interval_95"])
`;

export const r = (asked: Asked): string => `library(jsonlite)

writeLines('
${asked.json}
', "query.json")
asked <- c(${words(asked).map((word) => JSON.stringify(word)).join(", ")}, "--yes", "--json", "query.json")
answer <- fromJSON(paste(system2("rochdale", asked, stdout = TRUE), collapse = "\\n"))
print(answer$figures)
`;

#!/usr/bin/env node
// Writes src/chain/abi.ts from ../abi, the contracts' committed interfaces: of each contract what pages call, read and explain.
//
//   npm run abi               writes it
//   npm run abi -- --check    writes nothing; exits 1 where it differs
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";

/** Functions and events by name; errors are taken by what their names begin with. */
const WANTED = {
  AuctionHouse: [["auctionOf", "bondRequired", "close", "commit", "commitmentOf", "liveAuction", "open", "owedTo", "reveal", "termsOf", "withdraw", "AuctionClosed", "AuctionOpened", "BidCommitted", "BidRevealed", "Withdrawn"], ["AuctionHouse_", "EscrowedSale_"]],
  ComputeDesk: [["bondRequired", "jobOf", "open", "owedTo", "prices", "refund", "withdraw", "JobOpened", "JobRefunded", "Withdrawn"], ["ComputeDesk_", "EscrowedSale_"]],
  DatasetCatalog: [["datasetOf"], []],
  EthicsRegistry: [["approve", "approvedUntil", "ethicsBoard", "nonceOf", "ResearcherApproved"], ["EthicsRegistry_"]],
  License: [["ownerOf", "termsOf", "LicenseExtended", "LicenseIssued", "LicenseRevoked"], ["License_", "ERC721NonexistentToken"]],
  Market: [["bondRequired", "buy", "priceOf", "renew", "Renewed"], ["LicenseSale_", "Market_", "Pausing_"]],
  ResearcherBond: [["bondOf", "isBonded", "terms", "BondSlashed"], ["ResearcherBond_"]],
  StewardCommittee: [["workerKey", "ReceiptAnchored"], []],
  TestUSDC: [["approve", "balanceOf", "nonces", "Transfer"], ["ERC20", "ERC2612"]],
};

const FILE = fileURLToPath(new URL("../src/chain/abi.ts", import.meta.url));
const read = (name) => JSON.parse(readFileSync(new URL(`../../abi/${name}.json`, import.meta.url), "utf8")).abi;

export function bindings(interfaceOf = read) {
  const parts = Object.entries(WANTED).map(([contract, [names, errors]]) => {
    const all = interfaceOf(contract);
    const missing = names.filter((name) => !all.some((item) => item.name === name));
    if (missing.length) throw new Error(`${contract} has no ${missing.join(", ")}`);
    const kept = all.filter(({ type, name }) => (type === "error" ? errors.some((prefix) => name.startsWith(prefix)) : names.includes(name)));
    return `export const ${contract} = ${JSON.stringify(kept.map(slim))} as const;\n`;
  });
  return `// Made from abi/ by \`npm run abi\`. Not written by hand.\n\n${parts.join("\n")}`;
}

/** What is for programmers of the contracts alone is left out. */
const slim = (value) =>
  Array.isArray(value) ? value.map(slim)
  : value && typeof value === "object"
    ? Object.fromEntries(Object.entries(value).filter(([key, given]) => key !== "internalType" && !(key === "anonymous" && !given)).map(([key, given]) => [key, slim(given)]))
    : value;

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const written = bindings();
  if (!process.argv.includes("--check")) writeFileSync(FILE, written);
  else if (readFileSync(FILE, "utf8") !== written) {
    console.error("src/chain/abi.ts is not made from abi/: npm run abi");
    process.exit(1);
  }
}

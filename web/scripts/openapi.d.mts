export function client(document: unknown): string;

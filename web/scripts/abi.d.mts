export function bindings(interfaceOf?: (contract: string) => unknown[]): string;

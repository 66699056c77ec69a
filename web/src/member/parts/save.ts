//! A text or a record as a file on the member's device.
export const saveText = (name: string, text: string): void => saveFile(name, new Blob([text], { type: "text/plain;charset=utf-8" }));

export function saveFile(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

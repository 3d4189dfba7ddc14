// What scripts of the page share: telling the user something, and asking the server to do something.
export function tell(text) {
  document.getElementById("told").textContent = text;
}

// Sends values to an address as a form would, and gives what the answer says.
export async function send(address, values) {
  const headers = { Accept: "application/json" };
  const answer = await fetch(address, { method: "POST", body: new URLSearchParams(values), headers });
  if (!answer.ok) {
    throw new Error(`the page answered ${answer.status}`);
  }
  return answer.json();
}

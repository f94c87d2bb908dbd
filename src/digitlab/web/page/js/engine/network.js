// A network from the bytes of its safetensors file.

export function readNetwork(bytes) {
  const length = Number(new DataView(bytes).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 8, length)));
  return { description: JSON.parse(header.__metadata__.digitlab).network };
}

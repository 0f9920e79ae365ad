// Finds in nginx's configuration the lines that make the policy of one location.

// The cors_* lines of the server that listens on `address`, then the block of `location` in it.
export function policyLines(conf, address, location) {
  const server = blocks(conf.split("\n"), "server").find((lines) =>
    lines.some((line) => line.trim() === `listen ${address};`),
  );
  if (!server) {
    throw new Error(`demo.conf has no server that listens on ${address}`);
  }
  const inherited = ownLines(server).filter((line) => /^cors/.test(line.trim()));
  const block = blocks(server, `location ${location}`)[0];
  if (!block) {
    throw new Error(`demo.conf has no location ${location}`);
  }
  return [
    "server {",
    ...inherited.map((line) => `    ${line.trim()}`),
    "",
    ...dedent(block).map((line) => (line ? `    ${line}` : line)),
    "}",
  ];
}

// The blocks that a line `<opening> {` starts, with their first and last lines.
function blocks(lines, opening) {
  const found = [];
  lines.forEach((line, start) => {
    if (line.trim() !== `${opening} {`) {
      return;
    }
    let depth = 0;
    for (let end = start; end < lines.length; end += 1) {
      depth += change(lines[end]);
      if (depth === 0) {
        found.push(lines.slice(start, end + 1));
        return;
      }
    }
  });
  return found;
}

// The lines that stand in the block itself, not in a block inside it.
function ownLines(block) {
  let depth = 0;
  return block.filter((line) => {
    const outer = depth;
    depth += change(line);
    return outer === 1 && depth === 1;
  });
}

function change(line) {
  const code = line.replace(/'[^']*'|"[^"]*"|#.*/g, "");
  return (code.match(/{/g) ?? []).length - (code.match(/}/g) ?? []).length;
}

function dedent(lines) {
  const indent = lines[0].length - lines[0].trimStart().length;
  return lines.map((line) => line.slice(indent));
}

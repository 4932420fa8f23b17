const save = (parts, type, name) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(parts, { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
};
for (const button of document.querySelectorAll("button.png, button.svg")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const svg = button.closest("figure").querySelector("svg").cloneNode(true);
    const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
    // As wide as two columns of a journal: 17 cm at 300 dots an inch. An SVG has no dots.
    const isPng = button.className === "png";
    const scale = isPng ? 2008 / width : 1;
    const size = [width, height].map((length) => Math.round(length * scale));
    svg.setAttribute("width", size[0]);
    svg.setAttribute("height", size[1]);
    // On white, whatever the page's colours are.
    const style = document.createElementNS("http://www.w3.org/2000/svg", "style");
    style.textContent = (document.getElementById("fig")?.textContent ?? "").replaceAll("(prefers-color-scheme: dark)", "not all");
    svg.prepend(style);
    const text = new XMLSerializer().serializeToString(svg);
    if (!isPng) return save([text], "image/svg+xml", button.dataset.name + ".svg");
    const image = new Image();
    image.onload = () => {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = size;
      const context = canvas.getContext("2d");
      context.fillStyle = "#fff";
      context.fillRect(0, 0, ...size);
      context.drawImage(image, 0, 0, ...size);
      URL.revokeObjectURL(image.src);
      canvas.toBlob(async (png) => {
        // A browser does not say how large a dot is. 11811 dots a metre (chunk pHYs, with its CRC) stand behind the 33 bytes of signature and IHDR.
        const dots = Uint8Array.of(0, 0, 0, 9, 112, 72, 89, 115, 0, 0, 46, 35, 0, 0, 46, 35, 1, 120, 165, 63, 118);
        const bytes = await png.arrayBuffer();
        save([bytes.slice(0, 33), dots, bytes.slice(33)], "image/png", button.dataset.name + ".png");
      });
    };
    image.src = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  });
}

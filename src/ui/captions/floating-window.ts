interface DocumentPictureInPicture {
  requestWindow(options: { readonly width: number; readonly height: number }): Promise<Window>;
}

/** Three lines of 40 px type, about as wide as they are read on television. */
const SIZE_PX = { width: 720, height: 220 };

/** Document Picture-in-Picture, which Chrome and Edge have on desktops; null elsewhere. */
export const documentPictureInPicture = (): DocumentPictureInPicture | null =>
  (window as { documentPictureInPicture?: DocumentPictureInPicture }).documentPictureInPicture ?? null;

/**
 * An empty window above all others that looks as this page does. Needs a press just before.
 * @throws DOMException `NotAllowedError` without one
 */
export async function openFloatingWindow(api: DocumentPictureInPicture, title: string): Promise<Window> {
  const floating = await api.requestWindow(SIZE_PX);
  dress(floating.document, title);
  return floating;
}

/** Gives a document the language, theme and styles of this one. */
export function dress(target: Document, title: string): void {
  const { lang, dataset } = document.documentElement;
  target.documentElement.lang = lang;
  target.documentElement.dataset.theme = dataset.theme;
  target.title = title;
  const style = target.createElement('style');
  style.textContent = [...document.styleSheets].map(textOfSheet).join('\n');
  target.head.append(style);
}

/** Addresses in a sheet are relative to it; in the other document they would be relative to the page. */
const textOfSheet = ({ cssRules, href }: CSSStyleSheet): string =>
  [...cssRules]
    .map(({ cssText }) => cssText)
    .join('\n')
    .replace(
      /url\("([^"]+)"\)/g,
      (_, url: string) => `url("${new URL(url, href ?? document.baseURI).href}")`,
    );

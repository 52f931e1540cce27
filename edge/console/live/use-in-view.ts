import { type RefObject, useEffect, useState } from 'react';

/** Tiles this near to the screen count as seen, so that there is a picture when they come. */
const MARGIN = '150px';

/**
 * The keys (`data-key`) of those children of an element that are on the screen, or about to be.
 * @param children changes when there are other children
 */
export function useInView(parent: RefObject<HTMLElement | null>, children: string): ReadonlySet<string> {
  const [inView, setInView] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    const observer = new IntersectionObserver(
      (entries) =>
        setInView((before) => {
          const after = new Set(before);
          for (const { target, isIntersecting } of entries) {
            const { key = '' } = (target as HTMLElement).dataset;
            if (isIntersecting) after.add(key);
            else after.delete(key);
          }
          return after;
        }),
      { rootMargin: MARGIN },
    );
    if (children !== '') for (const child of parent.current?.children ?? []) observer.observe(child);
    return () => observer.disconnect();
  }, [parent, children]);
  return inView;
}

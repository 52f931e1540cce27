import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { projectRoot } from '../../models/registry/project-root.ts';

/** Where Debian puts it. */
export const CHROMIUM = '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
const SILENT = ['--disable-background-networking', '--disable-component-update', '--disable-sync'];

const root = projectRoot();

/** A browser with one page, and what it noticed. */
export interface ConsoleBrowser {
  readonly browser: Browser;
  readonly page: Page;
  /** What the browser's console said that it should not. */
  readonly complaints: readonly string[];
  /** Whom the page asked. */
  readonly origins: ReadonlySet<string>;
  /** Keeps a picture of the page for people to look at. */
  readonly shoot: (name: string) => Promise<void>;
}

/** Opens a browser for the console, which is built unless it is there. */
export async function openConsoleBrowser(): Promise<ConsoleBrowser> {
  if (!existsSync(join(root, '.cache', 'console', 'index.html'))) {
    const build = ['node_modules/vite/bin/vite.js', 'build', '--config', 'edge/console/vite.config.ts', 'edge/console'];
    execFileSync(process.execPath, build, { cwd: root, stdio: 'ignore' });
  }
  const screenshots = join(root, '.cache', 'screenshots');
  await mkdir(screenshots, { recursive: true });
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...FLAGS, ...SILENT] });
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme: 'dark' });
  page.setDefaultTimeout(30_000);
  const complaints: string[] = [];
  const origins = new Set<string>();
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => origins.add(new URL(request.url()).origin));
  const shoot = async (name: string): Promise<void> => {
    await page.screenshot({ path: join(screenshots, `${name.replaceAll(/\W+/g, '-')}.png`) });
  };
  return { browser, page, complaints, origins, shoot };
}

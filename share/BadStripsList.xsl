<?xml version="1.0" encoding="UTF-8"?>
<!-- The page of BadStripsAllFile.xml and BadStripsNewFile.xml. These files name no style sheet
     (their bytes are fixed), so only the command "sctcalib show" uses this one. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:import href="BadStrips.xsl"/>

  <!-- A COOL key is (run << 32) + lumi block; keys of runs below two million are exact here. -->
  <xsl:variable name="run" select="floor(/channels/@since div 4294967296)"/>

  <xsl:template match="/channels">
    <html lang="en">
      <xsl:call-template name="head">
        <xsl:with-param name="title" select="concat('Bad strips, run ', $run)"/>
      </xsl:call-template>
      <body>
        <header>
          <h1>Bad strips <span class="run">run <xsl:value-of select="$run"/></span></h1>
          <nav><a href="#modules">modules <b><xsl:value-of select="count(channel)"/></b></a></nav>
        </header>
        <main>
          <xsl:call-template name="place"/>
          <section id="modules">
            <h2>Modules</h2>
            <xsl:choose>
              <xsl:when test="not(channel)"><p class="none">none</p></xsl:when>
              <xsl:otherwise><xsl:call-template name="channels"/></xsl:otherwise>
            </xsl:choose>
          </section>
          <p class="legend">
            Module: bec.layer.phi.eta. Strips: 0–767 are the offline strips of side 0, 768–1535 those of side 1.
            Threshold: occupancy in hits per strip and event.
          </p>
        </main>
        <xsl:call-template name="footer"/>
      </body>
    </html>
  </xsl:template>

  <xsl:template name="place">
    <dl class="figures">
      <div><dt>Modules</dt><dd><xsl:value-of select="format-number(count(channel), '#,##0')"/><small>with at least one strip</small></dd></div>
      <div>
        <dt>Valid</dt>
        <dd class="text">from run <xsl:value-of select="$run"/>
          <small>
            <xsl:choose>
              <xsl:when test="@until = '9223372036854775807'">open-ended</xsl:when>
              <xsl:when test="floor(@until div 4294967296) = $run">for this run</xsl:when>
              <xsl:otherwise>to run <xsl:value-of select="floor(@until div 4294967296)"/></xsl:otherwise>
            </xsl:choose>
          </small>
        </dd>
      </div>
      <div><dt>Folder</dt><dd class="text"><xsl:value-of select="@folder"/><small><xsl:value-of select="concat(@schema, ' / ', @dbname)"/></small></dd></div>
      <div class="wide"><dt>Tag</dt><dd class="text"><xsl:value-of select="@tag"/><small><xsl:value-of select="@server"/></small></dd></div>
    </dl>
  </xsl:template>

  <xsl:template name="channels">
    <table class="channels">
      <colgroup><col class="position"/><col class="where"/><col class="type"/><col class="type"/><col/></colgroup>
      <thead><tr><th>module</th><th class="where">where</th><th>type</th><th>threshold</th><th>strips</th></tr></thead>
      <tbody><xsl:apply-templates select="channel"/></tbody>
    </table>
  </xsl:template>

  <xsl:template match="channel">
    <xsl:variable name="position" select="concat(value[@name='BarrelEndcap'], '.', value[@name='Layer'], '.', value[@name='Phi'], '.', value[@name='Eta'])"/>
    <tr id="m{$position}">
      <td class="position"><xsl:value-of select="$position"/></td>
      <td class="where"><xsl:call-template name="where"><xsl:with-param name="position" select="$position"/></xsl:call-template></td>
      <td><xsl:value-of select="value[@name='DefectType']"/></td>
      <td><xsl:value-of select="value[@name='Threshold']"/></td>
      <td><xsl:call-template name="strips"><xsl:with-param name="text" select="value[@name='DefectList']"/></xsl:call-template></td>
    </tr>
  </xsl:template>
</xsl:stylesheet>
